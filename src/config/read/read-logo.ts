import { extname } from 'node:path';
import type { Path } from '../yaml/yaml-source.ts';
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

/** The pages load nothing from elsewhere, so an image comes along with the page or from our own origin. */
export function readLogo(
  path: Path,
  logo: string | undefined,
  publicUrl: string,
  reading: Reading,
): string | undefined {
  if (logo === undefined) return undefined;
  if (/^data:image\/(svg\+xml|png|jpeg|webp)[;,]/.test(logo)) return logo;
  const url = parseUrl(logo);
  if (url !== undefined) {
    if (url.origin !== new URL(publicUrl).origin || !url.protocol.startsWith('http')) {
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
