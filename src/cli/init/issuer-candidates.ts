import { isLoopback } from '../../network/loopback.ts';

const DOCUMENT = /\/\.well-known\/(openid-configuration|oauth-authorization-server)/;
const MOST = 8;

/** An issuer that somebody typed, as far as it can be read as an address, and what else they may have meant. */
export interface TypedIssuer {
  /** Without a slash at its end, and without the path of the metadata. */
  address: string;
  /** The likeliest first, `address` among them. */
  candidates: string[];
}

/**
 * People paste what is in front of them: the address of the metadata, of the console, of a sign-in page, or no scheme at
 * all. Each of those leads to the issuer by a rule of that provider, or by a shorter path.
 */
export function readTypedIssuer(typed: string): TypedIssuer | undefined {
  const text = typed.trim().replaceAll(/^["'<]|["'>]$/g, '');
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${schemeFor(text)}://${text}`;
  if (!/^https?:\/\/[^/\s]+/i.test(withScheme) || !URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  if (url.username !== '' || url.password !== '') return undefined;
  const path = withoutSlash(url.pathname.replace(DOCUMENT, ''));
  const address = url.origin + path;
  const all = [address, ...otherScheme(url, path), ...byProvider(url, path), ...parents(url.origin, path)];
  return { address, candidates: [...new Set(all)].slice(0, MOST) };
}

export function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '');
}

function schemeFor(text: string): 'http' | 'https' {
  const host = URL.canParse(`http://${text}`) ? new URL(`http://${text}`).hostname : '';
  return isLoopback(host) ? 'http' : 'https';
}

/** The other scheme, where that is the one that will be taken: http on loopback alone, where most have no certificate. */
function otherScheme({ protocol, hostname, host }: URL, path: string): string[] {
  const fitting = isLoopback(hostname) ? 'http:' : 'https:';
  return protocol === fitting ? [] : [`${fitting}//${host}${path}`];
}

function byProvider({ origin, hostname, hash }: URL, path: string): string[] {
  const found: string[] = [];
  // Keycloak's console names the realm that is looked at behind the #.
  const console = /^(.*)\/admin\/([^/]+)\/console/.exec(path);
  const realm = /^#\/([^/?]+)/.exec(hash)?.[1] ?? console?.[2];
  if (console !== null && realm !== undefined) found.push(`${origin}${console[1]}/realms/${realm}`);
  const [, tenant] = /^\/([^/]+)/.exec(path) ?? [];
  if (/^login\.(microsoftonline|microsoft)\./.test(hostname) && tenant !== undefined) {
    found.push(`${origin}/${tenant}/v2.0`);
  }
  if (/-admin\.okta(preview)?\.com$/.test(hostname)) found.push(origin.replace('-admin.', '.'));
  if (/^(www\.)?google\.com$/.test(hostname)) found.push('https://accounts.google.com');
  return found;
}

function parents(origin: string, path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '');
  return segments.map(
    (_, index) =>
      `${origin}${segments
        .slice(0, segments.length - 1 - index)
        .map((one) => `/${one}`)
        .join('')}`,
  );
}
