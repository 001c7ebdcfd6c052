import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { quotable } from '../../oauth/quotable.ts';
import type { AdminRoute } from './admin-route.ts';

const MAX_BODY_BYTES = 4 * 1024;
const MAX_VALUE = 320;
const IN_QUERY = ['access_token', 'token', 'authorization', 'id_token'];

export interface FoundRoute {
  /** As in the table; what a caller made up is not repeated. */
  path: string;
  route: AdminRoute | undefined;
  /** The methods that this path has; none where there is no such path. */
  allowed: readonly string[];
  inPath: ReadonlyMap<string, string>;
}

export function findRoute(routes: readonly AdminRoute[], { url = '', method = '' }: IncomingMessage): FoundRoute {
  const parts = pathOf(url).split('/');
  const there = routes.flatMap((route) => {
    const inPath = partsIn(route.path.split('/'), parts);
    return inPath === undefined ? [] : [{ route, inPath }];
  });
  const asked = method === 'HEAD' ? 'GET' : method;
  const found = there.find(({ route }) => route.method === asked);
  const path = there[0]?.route.path ?? (pathOf(url) === '/admin/openapi.json' ? pathOf(url) : '(none)');
  const allowed = path === '/admin/openapi.json' ? ['GET'] : there.map(({ route }) => route.method);
  return { path, route: found?.route, allowed, inPath: found?.inPath ?? new Map() };
}

function partsIn(pattern: readonly string[], parts: readonly string[]): Map<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, each] of pattern.entries()) {
    const part = parts[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(each)?.[1];
    if (name !== undefined) values.set(name, part);
    else if (each !== part) return undefined;
  }
  return values;
}

/** RFC 6750 §5.3: an address is written to logs and histories. It is refused before it is looked at. */
export function refuseTokenInQuery({ url = '' }: IncomingMessage): void {
  const name = [...queryOf(url).keys()].find((key) => IN_QUERY.includes(key.toLowerCase()));
  if (name === undefined) return;
  const words = 'a token in the address is seen by too many: send Authorization: Bearer TOKEN, and change this one';
  throw new OAuthError('invalid_request', words, { detail: 'a token in the query' });
}

/**
 * What the route's table names, from path and query. A name that it does not know is refused: a filter that is mistyped,
 * or a script's variable that is not set, must not widen what is meant.
 */
export function parametersOf(
  { parameters }: AdminRoute,
  { url = '' }: IncomingMessage,
  inPath: ReadonlyMap<string, string>,
): Map<string, string> {
  const values = new Map(inPath);
  for (const [name, value] of queryOf(url)) {
    const isKnown = Object.hasOwn(parameters, name) && parameters[name]?.in === 'query';
    if (!isKnown) throw wrong(`there is no parameter ${quotable(name)} here`);
    if (values.has(name)) throw wrong(`${name} occurs more than once`);
    if (value === '' || value.length > MAX_VALUE) throw wrong(`${name} is a text of 1 to ${MAX_VALUE} characters`);
    values.set(name, value);
  }
  return values;
}

/** @throws {OAuthError} `invalid_request` */
export async function bodyOf(route: AdminRoute, message: IncomingMessage): Promise<Record<string, unknown>> {
  if (route.body === undefined) return {};
  const type = (message.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw wrong('the body must be application/json');
  let body: unknown;
  try {
    body = JSON.parse(await collect(message));
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    throw wrong('the body is no JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong('the body is no JSON object');
  return body as Record<string, unknown>;
}

async function collect(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of message) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY_BYTES) {
        throw wrong(`the body is larger than ${MAX_BODY_BYTES / 1024} KiB`, { Connection: 'close' });
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw error instanceof OAuthError ? error : wrong('the body broke off');
  }
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw wrong('the body is not UTF-8');
  return body.toString('utf8');
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}

function wrong(description: string, headers: Record<string, string> = {}): OAuthError {
  return new OAuthError('invalid_request', description, { headers });
}
