import { createHash } from 'node:crypto';

/**
 * Every address and cookie name that the pages use. They follow from `public_url` alone, so that no header decides
 * where a link goes or whether a cookie is safe.
 */
export interface PageAddresses {
  origin: string;
  isSecure: boolean;
  /** A path on our own origin, with `public_url`'s path in front. */
  to(path: string, query?: Readonly<Record<string, string>>): string;
  /** The redirect URI that the upstream knows; one per upstream, so that no answer counts for another (RFC 9700 §4.4). */
  callback(upstream: string): string;
  cookieName(name: string): string;
  /** Whether an address may be gone back to: a page that GET shows, here. */
  isPage(address: string): boolean;
}

const RETURNABLE = ['/device', '/device/sign-in', '/device/confirm', '/device/done', '/sessions'];

export function pageAddresses(publicUrl: URL): PageAddresses {
  const base = publicUrl.pathname.replace(/\/$/, '');
  const isSecure = publicUrl.protocol === 'https:';
  // `__Host-` cookies have the path `/`, so two brokers on one host are told apart by name.
  const tag = createHash('sha256').update(base).digest('hex').slice(0, 6);
  return {
    origin: publicUrl.origin,
    isSecure,
    to(path, query = {}) {
      const search = new URLSearchParams(query).toString();
      return base + path + (search === '' ? '' : `?${search}`);
    },
    callback: (upstream) => `${publicUrl.origin}${base}/callback/${upstream}`,
    cookieName: (name) => `${isSecure ? '__Host-' : ''}gatehouse${name === '' ? '' : `-${name}`}-${tag}`,
    isPage(address) {
      if (!address.startsWith('/') || !URL.canParse(address, publicUrl.origin)) return false;
      const { origin, pathname, username } = new URL(address, publicUrl.origin);
      return origin === publicUrl.origin && username === '' && RETURNABLE.some((path) => pathname === base + path);
    },
  };
}

/** Every path of the people door, as Express names them; the two files of ours that pages load stand below `/device` too. */
export const PAGE_PATHS = [
  ...['/device', '/device/sign-in', '/device/confirm', '/device/done', '/device/undo', '/callback/:upstream'],
  ...['/sessions', '/sessions/rename', '/sessions/end', '/language'],
] as const;

export type PagePath = (typeof PAGE_PATHS)[number];

const FILE = String.raw`/device/\w+-[0-9a-f]+\.(css|js)`;
const PAGE_PATH = new RegExp(`^(${[...PAGE_PATHS, FILE].join('|').replace(':upstream', '[^/]*')})$`);

/** Whether a path is the people door's: other paths are for a host that has pages of its own, or not there. */
export function isPagePath(path: string): boolean {
  return PAGE_PATH.test(path);
}
