import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
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

/** Shows the code in groups as it is typed. Nothing needs it, and it is the one script that any page of ours may run. */
export function createCodeScript({ views }: Pick<PageSettings, 'views'>): Asset {
  return asset('code', 'js', readView('code-field.js', views));
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
