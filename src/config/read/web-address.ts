import { isLoopback } from '../../network/loopback.ts';

export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

export type UrlFault = 'not a URL' | 'not https' | 'credentials' | 'query' | 'fragment';

/** The first thing that is wrong with an address that we publish or call. */
export function webAddressFault(text: string, allow: { query: boolean }): UrlFault | undefined {
  const url = parseUrl(text);
  if (url === undefined || !/^https?:\/\/[^/]/i.test(text) || /\s/.test(text)) return 'not a URL';
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) return 'not https';
  if (url.username !== '' || url.password !== '') return 'credentials';
  if (text.includes('#')) return 'fragment';
  if (!allow.query && text.includes('?')) return 'query';
  return undefined;
}

/** The first thing that is wrong with an origin that we call. */
export function webOriginFault(text: string): UrlFault | 'path' | undefined {
  const fault = webAddressFault(text, { query: false });
  return fault ?? (parseUrl(text)?.pathname === '/' ? undefined : 'path');
}

/** A proxy may be spoken to in clear: what goes through it is encrypted for the upstream. */
export function proxyFault(text: string): 'not a proxy' | 'credentials' | undefined {
  const url = parseUrl(text);
  if (url !== undefined && (url.username !== '' || url.password !== '')) return 'credentials';
  const isBare = /^https?:\/\/[^/]+\/?$/i.test(text) && !/[\s?#]/.test(text);
  return url !== undefined && isBare ? undefined : 'not a proxy';
}

/** An absolute URI without a fragment (RFC 8707 §2). */
export function isResource(text: string): boolean {
  return URL.canParse(text) && /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(text) && !text.includes('#');
}

/**
 * What a browser sends as `Origin`: scheme, host and port, nothing after. Extensions and packaged apps have schemes of
 * their own, and send their id for a host.
 */
export function isOrigin(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined) return false;
  if (/^https?:$/.test(url.protocol)) return url.origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9][a-z0-9.-]*(:\d+)?$/.test(text);
}
