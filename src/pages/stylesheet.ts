import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestHandler } from 'express';
import type { PageSettings } from './page-settings.ts';

const FILE = new URL('../../views/style.css', import.meta.url);
/** What may stand in a style rule: nothing that could end it. */
const COLOUR = /^(#[0-9a-f]{3,8}|[a-z]+|(rgb|hsl|oklch)a?\([\d\s.,%/deg]+\))$/i;

/** One stylesheet from our own origin; its name changes with its content, so it may be kept for ever. */
export interface Stylesheet {
  path: string;
  handler: RequestHandler;
}

export function createStylesheet(theme: PageSettings['theme']): Stylesheet {
  const text = readFileSync(FILE, 'utf8') + themeRule(theme);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return {
    path: `/device/style-${hash}.css`,
    handler(_request, response) {
      response.set('Cache-Control', 'public, max-age=31536000, immutable').type('css').send(text);
    },
  };
}

function themeRule({ accent, background }: PageSettings['theme']): string {
  const rules = [
    ...(isColour(accent) ? [`--accent: ${accent};`] : []),
    ...(isColour(background) ? [`--ground: ${background};`] : []),
  ];
  return rules.length === 0 ? '' : `\n:root:root { ${rules.join(' ')} }\n`;
}

function isColour(text: string | undefined): text is string {
  return text !== undefined && COLOUR.test(text);
}
