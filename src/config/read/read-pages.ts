import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { PageSettings } from '../../pages/frame/page-deps.ts';
import { didYouMean } from '../schema/did-you-mean.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { LANGUAGES } from '../schema/pages-schema.ts';
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
    if (isOurs(language)) return;
    const path = ['pages', 'languages', index];
    const file = views === undefined ? undefined : reading.resolve(path, join(views, 'languages', `${language}.json`));
    const hasFile = file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (hasFile) return;
    const near = didYouMean(language, LANGUAGES);
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    const where = `a file languages/${language}.json in the folder of pages.views`;
    reading.problem(path, `found "${language}", expected one of ${LANGUAGES.join(', ')}, or ${where}${meant}`);
  });
  return [...new Set(languages)];
}

function isOurs(language: string): boolean {
  return (LANGUAGES as readonly string[]).includes(language);
}

function readViews(views: string, reading: Reading): string {
  const path = ['pages', 'views'];
  const folder = reading.resolve(path, views);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    reading.problem(path, `${folder} is not a folder, expected one with templates`);
  }
  return folder;
}
