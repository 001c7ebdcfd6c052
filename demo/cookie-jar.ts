interface Cookie {
  name: string;
  value: string;
  host: string;
  path: string;
}

/** Cookies as a browser keeps them: by host and path, for all ports (RFC 6265 §8.5). */
export class CookieJar {
  #cookies: Cookie[] = [];

  /** What a browser would send there. */
  header(url: URL): string {
    return this.#cookies
      .filter(({ host, path }) => host === url.hostname && isWithin(url.pathname, path))
      .sort((one, other) => other.path.length - one.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  store(url: URL, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const cookie = {
        name: pair.slice(0, at),
        value: pair.slice(at + 1),
        host: url.hostname,
        path: pathOf(attributes, url),
      };
      this.#cookies = this.#cookies.filter(
        ({ name, host, path }) => name !== cookie.name || host !== cookie.host || path !== cookie.path,
      );
      if (!isOver(attributes)) this.#cookies.push(cookie);
    }
  }
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((one) => one.toLowerCase().startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

function pathOf(attributes: readonly string[], url: URL): string {
  const path = attribute(attributes, 'path') ?? '';
  // RFC 6265 §5.1.4: without a path, the folder of the address.
  return path.startsWith('/') ? path : url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/')));
}

function isOver(attributes: readonly string[]): boolean {
  const maxAge = attribute(attributes, 'max-age');
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  return Date.parse(attribute(attributes, 'expires') ?? '') <= Date.now();
}

function isWithin(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}
