import * as fc from 'fast-check';
import { DEVICE_PATHS, HEADERS, HOSTILE_VALUES, HOSTS, PAGE_PATHS, PARAMETERS } from './hostile-values.ts';

/** A request as it goes over the wire, but for the `{{…}}` in it. */
export interface HostileRequest {
  /** The path that was meant, whatever became of it. */
  path: string;
  method: string;
  text: string;
  /** Sent on a connection of its own that ends with it: after it nothing can be told apart any more. */
  isBroken: boolean;
}

const from = <T>(values: readonly T[]) => fc.constantFrom(...values);
const hostile = fc.oneof({ weight: 3, arbitrary: from(HOSTILE_VALUES) }, fc.string({ maxLength: 40, unit: 'binary' }));

/** Mostly what belongs there, so that requests get deep; else anything. */
const pair = from(Object.keys(PARAMETERS)).chain((name) =>
  fc.oneof({ weight: 3, arbitrary: from(PARAMETERS[name] ?? []) }, hostile).map((value) => [name, value] as const),
);
const oddPair = fc.tuple(hostile, hostile);

const isAlive = /^\{\{\w+\}\}$/;
const encode = (text: string) => (isAlive.test(text) ? text : encodeURIComponent(Buffer.from(text).toString()));
const plain = ([name, value]: readonly [string, string]) => `${encode(name)}=${encode(value)}`;
const raw = ([name, value]: readonly [string, string]) => `${name}=${value}`;

const pairs = (most: number) =>
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 9, arbitrary: pair }, oddPair), { maxLength: most }),
      fc.oneof({ weight: 5, arbitrary: fc.constant(plain) }, fc.constant(raw)),
      fc.oneof({ weight: 40, arbitrary: fc.constant(1) }, from([30, 200])),
    )
    .map(([list, spell, times]) => Array.from({ length: times }, () => list.map(spell).join('&')).join('&'));

const GRANT = `grant_type=${encodeURIComponent('urn:ietf:params:oauth:grant-type:device_code')}`;
/** What each path is there for; without these hardly a request would get beyond the first check. */
const SENSIBLE: Readonly<Record<string, readonly string[]>> = {
  '/device_authorization': ['client_id=build-cli', 'client_id=build-cli&scope=openid+profile', 'client_id=relay'],
  '/token': [
    `${GRANT}&client_id=build-cli&device_code={{deviceCode}}`,
    `${GRANT}&client_id=build-cli&device_code={{spentCode}}`,
    'grant_type=refresh_token&client_id=build-cli&refresh_token={{refreshToken}}',
    'grant_type=refresh_token&client_id=build-cli&refresh_token={{refreshToken}}&scope=openid',
    'grant_type=refresh_token&client_id=build-cli&refresh_token={{refreshToken}}&scope=openid+admin',
    'grant_type=refresh_token&client_id=build-cli&refresh_token={{refreshToken}}&resource=urn%3Ax&resource=urn%3Ay',
    'grant_type=refresh_token&client_id=build-cli&refresh_token={{refreshToken}}&resource=https%3A%2F%2Fpackages.example.com',
    `${GRANT}&client_id=build-cli&device_code={{approvedCode}}&confirmation_code=0000`,
  ],
  '/revoke': ['client_id=build-cli&token={{idToken}}'],
  '/introspect': ['client_id=robot&client_secret=robot-secret-000000000000000000000&token={{accessToken}}'],
  '/backchannel-logout/corp': ['logout_token={{idToken}}'],
  '/device': ['token={{codeToken}}&user_code={{userCode}}', 'token={{codeToken}}&user_code=BBBB-BBBB'],
  '/device/confirm': [
    'token={{formToken}}&decision=other_account&ticket={{ticket}}',
    'token={{formToken}}&decision=approve&ticket={{ticket}}',
  ],
  '/language': ['token={{languageToken}}&lang=de'],
};

const body = (path: string) =>
  fc
    .tuple(from([...(SENSIBLE[path] ?? ['']), '']), fc.oneof(pairs(4), fc.constant('')))
    .map(([sensible, more]) => [sensible, more].filter((part) => part !== '').join('&'));

const header = from(Object.keys(HEADERS)).chain((name) =>
  fc.oneof({ weight: 4, arbitrary: from(HEADERS[name] ?? []) }, hostile).map((value) => [name, value] as const),
);

/** No header may end another one here; those that do are among the broken ones. */
const clean = (text: string) => text.replace(/[\r\n\0]/g, '').replace(/[^\x20-\x7e\x80-\xff]/g, '?');

const POSTED = /token|device.?auth|auth\/device|\/o\/device|revoke|introspect|logout|confirm|undo|rename|end|language/;

const structured = from([...DEVICE_PATHS, ...DEVICE_PATHS, ...PAGE_PATHS]).chain((path) =>
  fc
    .record({
      method: fc.oneof(
        { weight: 8, arbitrary: from(POSTED.test(path) ? ['POST'] : ['GET', 'GET', 'POST']) },
        from(['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']),
      ),
      query: fc.oneof({ weight: 2, arbitrary: fc.constant('') }, pairs(3)),
      suffix: fc.oneof({ weight: 12, arbitrary: fc.constant('') }, hostile),
      host: fc.oneof({ weight: 30, arbitrary: fc.constant('{{host}}') }, from(HOSTS)),
      headers: fc.array(header, { maxLength: 4 }),
      hasForm: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.constant(false)),
      hasCookie: fc.boolean(),
      content: body(path),
      isChunked: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    })
    .map(({ method, query, suffix, host, headers, hasForm, hasCookie, content, isChunked }): HostileRequest => {
      const target = clean(`${path}${suffix}${query === '' ? '' : `?${query}`}`)
        .replace(/ /g, '%20')
        .slice(0, 9000);
      const lines = [`${method} ${target} HTTP/1.1`, `Host: ${clean(host)}`];
      if (hasForm) lines.push('Content-Type: application/x-www-form-urlencoded');
      if (hasCookie) lines.push('Cookie: {{cookie}}', 'Origin: {{origin}}');
      for (const [name, value] of headers) lines.push(`${name}: ${clean(value)}`);
      const isEmpty = method === 'GET' || method === 'HEAD' || content === '';
      if (!isEmpty) lines.push(isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: {{length}}');
      const sent = isEmpty ? '' : isChunked ? `{{chunk}}${content}` : content;
      return { path, method, text: `${lines.join('\r\n')}\r\n\r\n${sent}`, isBroken: false };
    }),
);

/** What happens to bytes under a careless or a hostile hand. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(2000), to: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(2000), to: fc.nat(255) }),
  fc.record({ kind: fc.constant('twice' as const), at: fc.nat(200), to: fc.nat(255) }),
  fc.record({
    kind: from(['bare_lf', 'both_lengths', 'huge_head', 'many_headers', 'wrong_length', 'bad_chunk', 'noise'] as const),
    at: fc.nat(2000),
    to: fc.nat(255),
  }),
);

const broken = fc.tuple(structured, damage).map(([request, { kind, at, to }]): HostileRequest => {
  const { text } = request;
  const put = (line: string) => text.replace('\r\n', `\r\n${line}\r\n`);
  const place = at % Math.max(1, text.length);
  const damaged = {
    flip: () => `${text.slice(0, place)}${String.fromCharCode(to)}${text.slice(place + 1)}`,
    cut: () => text.slice(0, place),
    twice: () => text.slice(0, place) + text,
    bare_lf: () => text.replaceAll('\r\n', '\n'),
    both_lengths: () => put('Transfer-Encoding: chunked\r\nContent-Length: 3'),
    huge_head: () => put(`X-Huge: ${'x'.repeat(17_000)}`),
    many_headers: () => put(Array.from({ length: 300 }, (_, n) => `X-${n}: ${n}`).join('\r\n')),
    wrong_length: () => put(`Content-Length: ${at * to}`),
    bad_chunk: () => `${put('Transfer-Encoding: chunked').split('\r\n\r\n')[0]}\r\n\r\nzz\r\n`,
    noise: () => String.fromCharCode(...Array.from({ length: 1 + (at % 200) }, (_, n) => (n * to + at) % 256)),
  }[kind]();
  return { ...request, text: damaged, isBroken: true };
});

export const hostileRequest = fc.oneof({ weight: 5, arbitrary: structured }, broken);
