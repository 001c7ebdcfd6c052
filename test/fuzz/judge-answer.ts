import { OAUTH_ERRORS } from '../../src/oauth/oauth-error.ts';
import type { HostileRequest } from './hostile-requests.ts';

export interface Answer {
  status: number;
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** RFC 6749 §5.2. */
const DESCRIPTION = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const PEOPLE_STATUSES = [200, 303, 400, 401, 403, 404, 405, 413, 415, 421, 429, 431];

/** What is wrong with an answer, or `undefined`: whatever was asked, it is a valid one of the door that was meant. */
export function judgeAnswer(answer: Answer, request: HostileRequest, origins: readonly string[]): string | undefined {
  const { status, headers, body } = answer;
  if (status >= 500) return `status ${status}`;
  const type = headers.get('content-type') ?? '';
  if (!headers.has('x-request-id')) return `status ${status} without X-Request-Id`;
  if (headers.has('x-injected')) return 'a header was injected';
  const location = headers.get('location');
  if (location !== undefined && !staysWithin(location, origins)) return `leads to ${location}`;
  if (request.method === 'HEAD' || status === 204) return body === '' ? undefined : 'a body where none belongs';
  if (type.startsWith('application/json')) return judgeJson(answer);
  if (status >= 300 && status < 400) return undefined;
  if (type.startsWith('text/html')) return judgePage(answer);
  if (/^(text\/css|text\/javascript|application\/javascript)/.test(type) && status === 200) return undefined;
  return body === '' && status < 500 ? undefined : `status ${status} with ${type === '' ? 'no type' : type}`;
}

function staysWithin(location: string, origins: readonly string[]): boolean {
  if (/^\/(?![/\\])/.test(location)) return true;
  return origins.some((origin) => location === origin || location.startsWith(`${origin}/`));
}

/** What may be kept, by the members that nothing else has: keys, metadata, the realm document. */
const PUBLISHED = ['keys', 'jwks_uri', 'public_key'];

function judgeJson({ status, headers, body }: Answer): string | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return 'broken JSON';
  }
  if (typeof value !== 'object' || value === null) return 'JSON that is no object';
  const isPublished = status === 200 && PUBLISHED.some((member) => Object.hasOwn(value, member));
  const kept = headers.get('cache-control');
  if (kept !== (isPublished ? 'public, max-age=300' : 'no-store')) return `JSON with ${kept ?? 'no Cache-Control'}`;
  if (status < 400) return undefined;
  const { error, error_description: description = '' } = value;
  if (!Object.hasOwn(OAUTH_ERRORS, String(error))) return `error ${String(error)}`;
  if (typeof description !== 'string' || !DESCRIPTION.test(description)) {
    return `error_description ${String(description)}`;
  }
  if (status === 405 && !headers.has('allow')) return '405 without Allow';
  return undefined;
}

function judgePage({ status, headers, body }: Answer): string | undefined {
  if (!PEOPLE_STATUSES.includes(status)) return `a page with status ${status}`;
  if ((body.match(/<h1[\s>]/g) ?? []).length !== 1) return 'a page without one h1';
  if (!/<html lang="[a-z]{2}"/.test(body) || !/<title>[^<]+<\/title>/.test(body)) return 'a page without lang or title';
  if (body.includes('<fuzz')) return 'markup of the caller in a page';
  if (!(headers.get('content-security-policy') ?? '').includes("frame-ancestors 'none'")) return 'a page without CSP';
  return headers.get('cache-control') === 'no-store' ? undefined : 'a page that may be kept';
}
