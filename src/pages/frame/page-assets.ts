import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RequestHandler, Response } from 'express';
import type { PageAddresses } from './page-addresses.ts';
import type { PageSettings } from './page-deps.ts';
import { themeRules } from './theme.ts';

const OWN_FOLDER = fileURLToPath(new URL('../../../views/', import.meta.url));

/** A file of ours that pages name; its name changes with its content, so it may be kept for ever. */
export interface Asset {
  path: string;
  handler: RequestHandler;
}

/** One stylesheet from our own origin; `style.css` in the override folder wins, like a template. */
export function createStylesheet({ theme, views }: Pick<PageSettings, 'theme' | 'views'>): Asset {
  return asset('style', 'css', readView('style.css', views) + themeRules(theme));
}

/** Shows the code in groups as it is typed. Nothing needs it; it and the next are the scripts that pages of ours may run. */
export function createCodeScript({ views }: Pick<PageSettings, 'views'>): Asset {
  return asset('code', 'js', readView('code-field.js', views));
}

/** Tells clock times in the person's own zone, which no server knows. */
export function createTimesScript({ views }: Pick<PageSettings, 'views'>): Asset {
  return asset('times', 'js', readView('local-times.js', views));
}

/**
 * Opens the Content-Security-Policy for one address, not for all that somebody may have put on this origin.
 *
 * @returns the address, for the page
 */
export function allowScript(
  { addresses }: { addresses: Pick<PageAddresses, 'origin' | 'to'> },
  response: Response,
  script: Asset,
): string {
  const path = addresses.to(script.path);
  const address = addresses.origin + path;
  const policy = String(response.getHeader('Content-Security-Policy'));
  // A policy has no form for IPv6 addresses, and ends sources at commas and semicolons.
  const source = /^https?:\/\/[\w.-]+(:\d+)?\/[^,;]*$/.test(address) ? address : "'self'";
  const allowed = policy.includes(';script-src ') ? `${policy} ${source}` : `${policy};script-src ${source}`;
  response.set('Content-Security-Policy', allowed);
  return path;
}

function readView(name: string, overrides: string | undefined): string {
  const override = overrides === undefined ? undefined : join(overrides, name);
  return readFileSync(override !== undefined && existsSync(override) ? override : join(OWN_FOLDER, name), 'utf8');
}

function asset(name: string, type: 'css' | 'js', text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return {
    path: `/device/${name}-${hash}.${type}`,
    handler(_request, response) {
      response.set('Cache-Control', 'public, max-age=31536000, immutable').type(type).send(text);
    },
  };
}
