import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import type { PageSettings } from '../../pages/frame/page-deps.ts';
import { didYouMean } from '../schema/did-you-mean.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { LANGUAGES } from '../schema/pages-schema.ts';
import type { Path } from '../yaml/yaml-source.ts';
import { parseTexts } from './language-file.ts';
import { readLogo } from './read-logo.ts';
import type { Reading } from './reading.ts';

export function readPages(file: ConfigFile, reading: Reading): PageSettings {
  const { title, footer, languages, theme, views } = file.pages;
  const { logo, logo_dark: logoDark } = file.pages;
  const image = readLogo(['pages', 'logo'], logo, file.public_url, reading);
  const darkImage = readLogo(['pages', 'logo_dark'], logoDark, file.public_url, reading);
  return {
    title,
    ...(image !== undefined && { logo: image }),
    ...(darkImage !== undefined && { logoDark: darkImage }),
    ...readSupport(file),
    ...(footer !== undefined && { footer }),
    languages: readLanguages(languages, views, reading),
    theme: {
      ...(theme.accent !== undefined && { accent: theme.accent }),
      ...(theme.background !== undefined && { background: theme.background }),
    },
    ...(views !== undefined && { views: readViews(views, reading) }),
  };
}

function readSupport({ pages: { support } }: ConfigFile): Pick<PageSettings, 'support' | 'supportLinks'> {
  if (support === undefined) return {};
  if (typeof support === 'string') return { support };
  const { text, url, email, phone } = support;
  const links = [
    ...(url === undefined ? [] : [{ href: url, text: url.replace(/^https?:\/\//, '') }]),
    ...(email === undefined ? [] : [{ href: `mailto:${encodeURIComponent(email).replace('%40', '@')}`, text: email }]),
    ...(phone === undefined ? [] : [{ href: `tel:${phone.replace(/[^+0-9]/g, '')}`, text: phone }]),
  ];
  return { ...(text !== undefined && { support: text }), supportLinks: links };
}

/** Ours, and those that an administrator's folder has words for. */
function readLanguages(languages: readonly string[], views: string | undefined, reading: Reading): string[] {
  languages.forEach((language, index) => {
    const path = ['pages', 'languages', index];
    if (!isKnownTag(language)) {
      const text = `found "${language}", which is no language tag that browsers and Node read, expected one such as yue or de-AT`;
      reading.problem(path, text);
      return;
    }
    if (views !== undefined && readOwnTexts(path, join(views, 'languages', `${language}.json`), reading)) return;
    if (isOurs(language)) return;
    const near = didYouMean(language, LANGUAGES);
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    const where = `a file languages/${language}.json in the folder of pages.views`;
    reading.problem(path, `found "${language}", expected one of ${LANGUAGES.join(', ')}, or ${where}${meant}`);
  });
  // Every language falls back to English, text by text, whether it is offered or not.
  if (views !== undefined && !languages.includes('en')) {
    readOwnTexts(['pages', 'views'], join(views, 'languages', 'en.json'), reading);
  }
  return [...new Set(languages)];
}

/** @returns whether there is such a file; what is wrong with it is noted */
function readOwnTexts(path: Path, name: string, reading: Reading): boolean {
  if (statSync(reading.resolve(path, name), { throwIfNoEntry: false }) === undefined) return false;
  const written = reading.file(path, name);
  if (written === undefined) return true;
  const texts = parseTexts(reading.resolve(path, name), written);
  if (typeof texts === 'string') reading.problem(path, texts);
  return true;
}

/** BCP 47 as `Intl` has it, which dates and the names of languages come from. */
function isKnownTag(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1;
  } catch {
    return false;
  }
}

function isOurs(language: string): boolean {
  return (LANGUAGES as readonly string[]).includes(language);
}

function readViews(views: string, reading: Reading): string {
  const path = ['pages', 'views'];
  const folder = reading.resolve(path, views);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    reading.problem(path, `${folder} is not a folder, expected one with templates`);
    return folder;
  }
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ejs'))) {
    const template = reading.file(path, join(views, name));
    const fault = template === undefined ? undefined : templateFault(template);
    if (fault !== undefined) reading.problem(path, `${join(folder, name)} is no template: ${fault}`);
  }
  return folder;
}

function templateFault(template: string): string | undefined {
  try {
    ejs.compile(template, { filename: '' });
    return undefined;
  } catch (error) {
    // EJS adds advice about its own tools in further lines.
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}
