import { randomBytes, randomInt } from 'node:crypto';
import { GRANT_TYPES } from '../../../src/oauth/grant-types.ts';

/** What may be wrong with it, one at a time. */
export type Fault =
  | 'another issuer in the metadata'
  | 'no device endpoint in the metadata'
  | 'grant type not listed'
  | 'codes for a GET'
  | 'codes without a client'
  | 'codes for an unknown client'
  | 'codes without the secret'
  | 'no challenge'
  | 'empty scope is refused'
  | 'unknown parameters are refused'
  | 'repeats are taken'
  | 'JSON breaks it'
  | 'no expires_in'
  | 'codes may be cached'
  | 'code in the address'
  | 'one user code for all'
  | 'device codes count up'
  | 'user codes of three digits'
  | 'user codes with 0 and O'
  | 'pending is 200'
  | 'unknown grant type breaks it'
  | 'missing device code is a grant error'
  | 'unknown code is pending'
  | 'unknown client may poll'
  | 'other client may poll'
  | 'poll without the secret'
  | 'first poll is too fast'
  | 'the interval is too fast'
  | 'never slow_down'
  | 'slow_down changes nothing'
  | 'slow_down for ever'
  | 'the page is gone'
  | 'a GET approves'
  | 'the page has the device code'
  | 'denied is pending'
  | 'approved is pending'
  | 'tokens may be cached'
  | 'no life of tokens'
  | 'tokens for all who race'
  | 'tokens again'
  | 'expired is pending'
  | 'expired is invalid_grant'
  | 'errors are called HTML'
  | 'quotes in descriptions';

interface Grant {
  userCode: string;
  clientId: string;
  startedAtMs: number;
  intervalMs: number;
  lastMs: number | undefined;
  decision?: 'approve' | 'deny';
  redeemed?: boolean;
}

export const ISSUER = 'https://server.example.com/issuer';
export const SECRET = 'secret-of-the-device-client';
const LIFE_MS = 20_000;
const INTERVAL_MS = 5000;
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** A small server of the device flow that does all that it must, but for one fault. It has no socket and no clock of its own. */
export function faultyDeviceServer(now: () => number, fault: Fault | undefined, hasSecret = false) {
  const grants = new Map<string, Grant>();
  const has = (one: Fault) => fault === one;
  let count = 0;

  function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
    const isHtml = status >= 400 && has('errors are called HTML');
    const type = isHtml ? 'text/html' : 'application/json';
    const all = { 'content-type': type, 'cache-control': 'no-store', ...headers };
    return new Response(JSON.stringify(body), { status, headers: all });
  }
  const refuse = (error: string, status = 400, headers = {}) =>
    answer(status, { error, error_description: has('quotes in descriptions') ? 'see "help"' : 'no' }, headers);

  function clientOf(form: URLSearchParams, headers: Headers): string | undefined {
    const [id = '', secret] = credentials(form, headers);
    if (id === '') return undefined;
    if (id === 'device' && hasSecret && secret !== SECRET) return undefined;
    return ['device', 'other'].includes(id) ? id : undefined;
  }
  const unauthenticated = (headers: Headers) => {
    const isBasic = headers.has('authorization') && !has('no challenge');
    return refuse('invalid_client', 401, isBasic ? { 'www-authenticate': 'Basic realm="x"' } : {});
  };

  function start(form: URLSearchParams, headers: Headers): Response {
    const client = clientOf(form, headers);
    const [id = ''] = credentials(form, headers);
    const lets =
      (has('codes without a client') && id === '') ||
      (has('codes for an unknown client') && id.startsWith('no-such') && !headers.has('authorization')) ||
      (has('codes without the secret') && id === 'device');
    if (id === '' && !lets) return refuse('invalid_request');
    if (client === undefined && !lets) return unauthenticated(headers);
    if (form.getAll('scope').length > 1 && !has('repeats are taken')) return refuse('invalid_request');
    if (has('empty scope is refused') && form.get('scope') === '') return refuse('invalid_scope');
    if (has('unknown parameters are refused') && form.has('x-no-such-parameter')) return refuse('invalid_request');
    count += 1;
    const deviceCode = has('device codes count up')
      ? `code-${String(count).padStart(38, '0')}`
      : randomBytes(32).toString('base64url');
    const userCode = newUserCode();
    grants.set(deviceCode, {
      userCode,
      clientId: client ?? id,
      startedAtMs: now(),
      intervalMs: INTERVAL_MS,
      lastMs: undefined,
    });
    const uri = `https://server.example.com/device${has('code in the address') ? `/${userCode}` : ''}`;
    return answer(
      200,
      {
        ...{ device_code: deviceCode, user_code: userCode, verification_uri: uri, interval: INTERVAL_MS / 1000 },
        verification_uri_complete: `https://server.example.com/device?user_code=${userCode}`,
        ...(!has('no expires_in') && { expires_in: LIFE_MS / 1000 }),
      },
      has('codes may be cached') ? { 'cache-control': 'private' } : {},
    );
  }

  function newUserCode(): string {
    if (has('one user code for all')) return 'BCDF-GHJK';
    if (has('user codes of three digits')) return String(count).padStart(3, '0');
    const letters = has('user codes with 0 and O') ? '0OBCDFGHJKLMNPQRST' : LETTERS;
    const part = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('');
    return `${part()}-${part()}`;
  }

  function token(form: URLSearchParams, headers: Headers): Response {
    const [id = ''] = credentials(form, headers);
    const grantType = form.get('grant_type');
    if (has('unknown grant type breaks it') && grantType?.startsWith('urn:example')) return answer(500, {});
    const lets =
      (has('unknown client may poll') && id.startsWith('no-such')) ||
      (has('poll without the secret') && id === 'device');
    const client = clientOf(form, headers) ?? (lets ? 'device' : undefined);
    if (client === undefined) return unauthenticated(headers);
    if (grantType === null) return refuse('invalid_request');
    if (grantType !== GRANT_TYPES.device_code) return refuse('unsupported_grant_type');
    const code = form.get('device_code');
    if (code === null) return refuse(has('missing device code is a grant error') ? 'invalid_grant' : 'invalid_request');
    const grant = grants.get(code);
    if (grant === undefined) return refuse(has('unknown code is pending') ? 'authorization_pending' : 'invalid_grant');
    if (grant.clientId !== client && !has('other client may poll')) return refuse('invalid_grant');
    return poll(grant);
  }

  function poll(grant: Grant): Response {
    if (now() > grant.startedAtMs + LIFE_MS && !has('expired is pending')) {
      return refuse(has('expired is invalid_grant') ? 'invalid_grant' : 'expired_token');
    }
    if (grant.decision === 'deny' && !has('denied is pending')) return refuse('access_denied');
    if (grant.decision === 'approve' && !has('approved is pending')) return redeem(grant);
    const first = grant.lastMs === undefined;
    const tooFast = first ? has('first poll is too fast') : now() - (grant.lastMs ?? 0) < grant.intervalMs;
    grant.lastMs = now();
    const isSlow =
      (tooFast && !has('never slow_down')) || (!first && has('the interval is too fast') && !isGrown(grant));
    if (!isSlow) {
      return has('pending is 200') ? answer(200, { error: 'authorization_pending' }) : refuse('authorization_pending');
    }
    if (!has('slow_down changes nothing')) grant.intervalMs += has('slow_down for ever') ? 60_000 : 5000;
    return refuse('slow_down');
  }

  const isGrown = (grant: Grant) => grant.intervalMs > INTERVAL_MS;

  function redeem(grant: Grant): Response {
    const isRace = has('tokens for all who race') && grant.lastMs === now();
    if (grant.redeemed === true && !isRace && !has('tokens again')) return refuse('invalid_grant');
    // Those who come at once; a replay comes later.
    grant.redeemed = true;
    grant.lastMs = now();
    const life = has('no life of tokens') ? {} : { expires_in: 600 };
    const cached: Record<string, string> = has('tokens may be cached') ? { 'cache-control': 'private' } : {};
    const accessToken = has('tokens again') ? 'the-same-token' : randomBytes(8).toString('hex');
    return answer(200, { access_token: accessToken, token_type: 'Bearer', ...life }, cached);
  }

  function page(url: URL): Response {
    if (has('the page is gone')) return new Response('', { status: 404 });
    const typed = url.searchParams.get('user_code');
    const [code, grant] = [...grants].find(([, { userCode }]) => userCode === typed) ?? [];
    if (has('a GET approves') && grant !== undefined) grant.decision = 'approve';
    return new Response(has('the page has the device code') ? `<p>${code}</p>` : '<form></form>', { status: 200 });
  }

  const metadata = () =>
    answer(200, {
      issuer: has('another issuer in the metadata') ? 'https://another.example.com' : ISSUER,
      token_endpoint: `${ISSUER}/token`,
      ...(!has('no device endpoint in the metadata') && { device_authorization_endpoint: `${ISSUER}/start` }),
      grant_types_supported: has('grant type not listed') ? [] : [GRANT_TYPES.device_code],
    });

  return {
    decide: async ({ deviceCode }: { deviceCode: string }, action: 'approve' | 'deny') => {
      const grant = grants.get(deviceCode);
      if (grant !== undefined) grant.decision = action;
    },
    fetch: (async (address: string, init: RequestInit = {}) => {
      const url = new URL(address);
      const headers = new Headers(init.headers);
      if (url.pathname.includes('/.well-known/')) return metadata();
      if (url.pathname === '/device' || url.pathname.startsWith('/device/')) return page(url);
      const isForm = headers.get('content-type') === 'application/x-www-form-urlencoded';
      if (init.method === 'POST' && !isForm) return has('JSON breaks it') ? answer(503, {}) : refuse('invalid_request');
      if (init.method !== 'POST' && !has('codes for a GET')) return answer(405, { error: 'invalid_request' });
      const form =
        init.method === 'POST' ? new URLSearchParams(typeof init.body === 'string' ? init.body : '') : url.searchParams;
      return url.pathname.endsWith('/token') ? token(form, headers) : start(form, headers);
    }) as unknown as typeof fetch,
  };
}

function credentials(form: URLSearchParams, headers: Headers): [id: string | undefined, secret: string | undefined] {
  const [, encoded] = /^Basic (.*)$/.exec(headers.get('authorization') ?? '') ?? [];
  if (encoded === undefined) return [form.get('client_id') ?? '', form.get('client_secret') ?? undefined];
  const [id, secret] = Buffer.from(encoded, 'base64').toString().split(':').map(decodeURIComponent);
  return [id, secret];
}
