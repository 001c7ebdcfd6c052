import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { PageSettings } from '../../pages/frame/page-deps.ts';
import { didYouMean } from '../schema/did-you-mean.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { LANGUAGES } from '../schema/pages-schema.ts';
import type { Reading } from './reading.ts';
import { parseUrl } from './web-address.ts';

const IMAGE_TYPES: Record<string, string> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};
const LARGEST_LOGO_BYTES = 100_000;

export function readPages(file: ConfigFile, reading: Reading): PageSettings {
  const { title, support, footer, languages, theme, views } = file.pages;
  const logo = readLogo(file, reading);
  return {
    title,
    ...(logo !== undefined && { logo }),
    ...(support !== undefined && { support }),
    ...(footer !== undefined && { footer }),
    languages: readLanguages(languages, views, reading),
    theme: {
      ...(theme.accent !== undefined && { accent: theme.accent }),
      ...(theme.background !== undefined && { background: theme.background }),
    },
    ...(views !== undefined && { views: readViews(views, reading) }),
  };
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

/** The pages load nothing from elsewhere, so an image comes along with the page or from our own origin. */
function readLogo(file: ConfigFile, reading: Reading): string | undefined {
  const { logo } = file.pages;
  if (logo === undefined) return undefined;
  const path = ['pages', 'logo'];
  if (/^data:image\/(svg\+xml|png|jpeg|webp)[;,]/.test(logo)) return logo;
  const url = parseUrl(logo);
  if (url !== undefined) {
    if (url.origin !== new URL(file.public_url).origin || !url.protocol.startsWith('http')) {
      const text = 'is elsewhere, expected an image file, a data: URI, or an address on public_url’s own origin';
      reading.problem(path, text, ['public_url']);
    }
    return logo;
  }
  const type = IMAGE_TYPES[extname(logo).toLowerCase()];
  if (type === undefined) {
    reading.problem(
      path,
      `${JSON.stringify(logo)} is no image, expected a file that ends in .svg, .png, .jpg or .webp`,
    );
    return undefined;
  }
  const image = reading.bytes(path, logo);
  if (image === undefined) return undefined;
  if (image.length <= LARGEST_LOGO_BYTES) return `data:${type};base64,${image.toString('base64')}`;
  reading.problem(
    path,
    `has ${image.length} bytes, expected at most ${LARGEST_LOGO_BYTES}: it is sent with every page`,
  );
  return undefined;
}
