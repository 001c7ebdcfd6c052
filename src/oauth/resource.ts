/** Ports that a scheme has without saying so (RFC 3986 §6.2.3). */
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
]);

/** RFC 3986, appendix B, without the fragment, which a resource has not (RFC 8707 §2). */
const URI = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?$/i;

/**
 * A resource indicator in the spelling that all equal ones share (RFC 3986 §6.2.2 and §6.2.3): clients write a slash
 * behind the host, a default port and upper case where the configuration does not.
 */
export function normalResource(resource: string): string {
  // With a fragment it fits nothing; asked of the expression, that takes the square of its length.
  if (resource.includes('#')) return resource;
  const [, scheme = '', authority, path = '', query = ''] = URI.exec(resource) ?? [];
  if (scheme === '') return resource;
  const name = scheme.toLowerCase();
  const before = authority === undefined ? '' : `//${normalAuthority(authority, DEFAULT_PORTS.get(name))}`;
  const isHierarchical = authority !== undefined || path.startsWith('/');
  const normal = normalEscapes(path);
  const after = isHierarchical ? withoutDotSegments(normal) : normal;
  return `${name}:${before}${after === '' && authority !== undefined ? '/' : after}${normalEscapes(query)}`;
}

export function isSameResource(one: string, other: string): boolean {
  return one === other || normalResource(one) === normalResource(other);
}

/**
 * The configured one for each that was named, so that everything behind this compares and issues one spelling.
 * `undefined` stands for one that is not configured.
 */
export function configuredResources(
  named: readonly string[],
  configured: readonly string[],
): readonly (string | undefined)[] {
  if (named.length === 0) return named;
  if (named.every((resource) => configured.includes(resource))) return named;
  // Of two that are equal the first counts.
  const bySpelling = new Map(configured.toReversed().map((resource) => [normalResource(resource), resource]));
  return named.map((resource) => (configured.includes(resource) ? resource : bySpelling.get(normalResource(resource))));
}

/** Those that were named, each once, as configured; what is not configured stays as it was named, and fits nothing. */
export function respelledResources(named: readonly string[], configured: readonly string[]): readonly string[] {
  if (named.length === 0) return named;
  return [...new Set(configuredResources(named, configured).map((resource, index) => resource ?? named[index] ?? ''))];
}

function normalAuthority(authority: string, defaultPort: string | undefined): string {
  // By hand: anybody may send one, and an expression looks for the end of each part from each place in it.
  const hostAt = authority.lastIndexOf('@') + 1;
  const user = authority.slice(0, hostAt);
  const rest = authority.slice(hostAt);
  const colon = rest.lastIndexOf(':');
  const port = colon > rest.lastIndexOf(']') ? rest.slice(colon + 1) : undefined;
  const hasPort = port !== undefined && /^\d*$/.test(port);
  const host = hasPort ? rest.slice(0, colon) : rest;
  const isDefault = !hasPort || port === '' || port === defaultPort;
  return `${normalEscapes(user)}${normalEscapes(host).toLowerCase()}${isDefault ? '' : `:${port}`}`;
}

/** Escapes in upper case, and none where none is needed. */
function normalEscapes(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (coded) => {
    const character = String.fromCharCode(Number.parseInt(coded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : coded.toUpperCase();
  });
}

/** RFC 3986 §5.2.4 */
function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [at, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    if (segment !== '..' && segment !== '.') kept.push(segment);
    else if (at === segments.length - 1) kept.push('');
  }
  return kept.length === 0 ? '' : `/${kept.join('/')}`;
}
