import { z } from 'zod';
import { webAddress } from './address-schemas.ts';
import { expects, filePath, list, pattern, section, text } from './value-schemas.ts';

/** `pages/` has one file of words per language. */
export const LANGUAGES = ['en', 'de', 'fr', 'es', 'ja', 'ar', 'pt-BR', 'zh-Hans', 'ko', 'it', 'nl', 'pl'] as const;

const colour = () => pattern(/^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/, 'a colour such as #0b5fff, in quotes');
/** A text, or one for each language that it is written in. */
export function described(what: string) {
  const byLanguage = z
    .record(languageTag(), text(what), { error: expects(`${what}, or { en: …, de: … }`) })
    .refine((texts) => Object.keys(texts).length > 0, { error: expects(`${what} in at least one language`) });
  return z.union([text(what), byLanguage], { error: expects(`${what}, or a section such as { en: …, de: … }`) });
}

const languageTag = () => pattern(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/, 'a language such as de or pt-BR');

/** What stands where an image may be named. */
export const logoText = () => text('an image', { longest: 200_000 });

export const pagesSchema = section({
  title: text('a title', { longest: 100 }).prefault('Gatehouse').describe('In the head of every page'),
  logo: logoText()
    .optional()
    .describe(
      'An image file (svg, png, jpeg, webp), a data: URI, or an address on public_url’s origin; the icon of the pages too',
    ),
  logo_dark: logoText().optional().describe('The same for people who chose dark colours; default: logo'),
  support: z
    .union(
      [
        text('a line', { longest: 500 }),
        section({
          text: text('a line', { longest: 500 }).optional().describe('In words'),
          url: webAddress({ query: true }).optional().describe('A page'),
          email: pattern(/^[^\s@<>"]+@[^\s@<>"]+$/, 'an e-mail address')
            .optional()
            .describe('An e-mail address'),
          phone: pattern(/^\+?[0-9][0-9 ()./-]{1,30}$/, 'a telephone number')
            .optional()
            .describe('A telephone number'),
        }),
      ],
      { error: expects('a line, or a section with text, url, email and phone') },
    )
    .optional()
    .describe('Whom to ask: a line, or a section whose url, email and phone are links'),
  footer: text('a line', { longest: 500 }).optional().describe('At the end of every page'),
  languages: list(languageTag(), 'languages')
    .min(1, { error: expects('at least one language') })
    .prefault([...LANGUAGES])
    .describe(
      'Offered to people; the first where theirs is not among them; also those with a file languages/….json in the folder of views',
    ),
  theme: section({
    accent: colour().optional().describe('Of buttons and links'),
    background: colour().optional().describe('Behind the page'),
  })
    .prefault({})
    .describe('Colours'),
  views: filePath().optional().describe('A folder of templates that win over ours'),
})
  .prefault({})
  .describe('Branding');
