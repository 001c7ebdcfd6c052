import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { callbackUri } from '../../oauth/routes.ts';

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
  /** How every cookie of ours is set. */
  cookieFlags: CookieFlags;
  /** Whether an address may be gone back to: a page that GET shows, here. */
  isPage(address: string): boolean;
}

/**
 * Lax: the browser comes back from the upstream by a navigation of another site, and must bring its cookies then. No script
 * reads them. Each is sent over https only, where `public_url` is.
 */
export interface CookieFlags {
  path: '/';
  httpOnly: true;
  sameSite: 'lax';
  secure: boolean;
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
    callback: (upstream) => callbackUri(publicUrl.origin + base, upstream),
    cookieFlags: { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure },
    cookieName: (name) => `${isSecure ? '__Host-' : ''}gatehouse${name === '' ? '' : `-${name}`}-${tag}`,
    isPage(address) {
      if (!address.startsWith('/') || !URL.canParse(address, publicUrl.origin)) return false;
      const { origin, pathname, username } = new URL(address, publicUrl.origin);
      return origin === publicUrl.origin && username === '' && RETURNABLE.some((path) => pathname === base + path);
    },
  };
}

/** A cookie of the request by name; the first where there are two. Ours hold nothing that would need decoding. */
export function cookieOf(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const { cookie = '' } = request.headers;
  // Looked for, not taken apart: a page asks for several, and a stranger sends as many as fit.
  for (let at = cookie.indexOf(name); at >= 0; ) {
    const semicolon = cookie.indexOf(';', at);
    const end = semicolon < 0 ? cookie.length : semicolon;
    const pair = cookie.slice(cookie.lastIndexOf(';', at) + 1, end);
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    at = cookie.indexOf(name, end);
  }
  return undefined;
}
