/**
 * What one request of somebody who has no code, no token and no account costs at most: each kind of request that a
 * stranger can make is sent to the built process, and the processor time of one is read from the kernel's account.
 * `npm run bench:strangers`, or `npm run bench:strangers -- TEXT` for the kinds that have it in their name. Limits are
 * off, so that each request does all that it can cause.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exportJWK, SignJWT } from 'jose';
import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { freePort } from './redis-server.ts';
import { runRequests } from './run-requests.ts';

const GATEHOUSE = fileURLToPath(new URL('../../../dist/cli/gatehouse.js', import.meta.url));
const CONNECTIONS = 8;
/** Who floods sends many: the first ones, which the engine has not compiled yet, are not counted. */
const COUNT = 4000;
const FIRST = 2500;
const BATCHES = 5;
const MAX_MS = 1;
const FORM = 'application/x-www-form-urlencoded';
const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SECRET = 'kq3vY0m1PzW8sD5xH2nR7t';

const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-strangers-'));
const upstream = await startEmbeddedUpstream({
  port: 0,
  clients: [{ clientId: 'gatehouse', redirectUris: [`${origin}/callback/corp`] }],
});
const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 4096 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
type Alg = keyof typeof keys;
writeFileSync(join(folder, 'secret'), SECRET, { mode: 0o600 });
const jwks = {
  keys: [
    { ...(await exportJWK(keys.RS256.publicKey)), kid: 'RS256', alg: 'RS256', use: 'sig' },
    { ...(await exportJWK(keys.ES256.publicKey)), kid: 'ES256', alg: 'ES256', use: 'sig' },
  ],
};
const off = [
  'wrong_codes_per_source',
  'wrong_codes_total',
  'wrong_codes_per_browser',
  'failed_authentications_per_source',
];
const limits = [
  ...off,
  'failed_authentications_per_client',
  'starts_per_source',
  'pending_per_source',
  'pending_per_client',
];
writeFileSync(
  join(folder, 'gatehouse.yaml'),
  JSON.stringify({
    public_url: origin,
    listen: { port },
    log: { level: 'error' },
    upstreams: { corp: { issuer: upstream.issuer, client_id: 'gatehouse', authentication: 'none' } },
    clients: {
      tv: { name: 'TV', interval: '60s', resources: ['https://a.example.com', 'https://b.example.com'] },
      robot: { name: 'Robot', client_secret: { file: 'secret' } },
      signer: { name: 'Signer', jwks },
    },
    // What has no limit of its own in the configuration: steps towards a sign-in.
    networks: { here: { name: 'Here', cidrs: ['127.0.0.0/8'], factor: 1000 } },
    limits: { ...Object.fromEntries(limits.map((limit) => [limit, 0])), pending_total: 0 },
  }),
);
const child = spawn(process.execPath, [GATEHOUSE, 'start', '--config', join(folder, 'gatehouse.yaml')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));

try {
  const rows: [what: string, ms: number, statuses: string][] = [];
  for (const [what, make] of Object.entries(await kinds())) {
    if (!what.includes(process.argv[2] ?? '')) continue;
    const requests = await make();
    const statuses = await runRequests(port, requests.slice(0, FIRST), CONNECTIONS);
    const size = (COUNT - FIRST) / BATCHES;
    const costs: number[] = [];
    for (let at = FIRST; at < COUNT; at += size) {
      const before = cpuMs();
      await runRequests(port, requests.slice(at, at + size), CONNECTIONS);
      costs.push((cpuMs() - before) / size);
    }
    const median = costs.sort((left, right) => left - right)[BATCHES >> 1] ?? 0;
    rows.push([what, median, JSON.stringify(statuses)]);
  }
  rows.sort(([, left], [, right]) => right - left);
  for (const [what, ms, statuses] of rows) {
    process.stdout.write(`${ms.toFixed(2)} ms${ms > MAX_MS ? ' MISSED' : ''}  ${what}  ${statuses}\n`);
  }
} finally {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  await upstream.close();
  rmSync(folder, { recursive: true });
}

/** Of all its threads, from the kernel's own account. */
function cpuMs(): number {
  const tasks = `/proc/${child.pid}/task`;
  const nanoseconds = readdirSync(tasks).map(
    (task) => readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0],
  );
  return nanoseconds.reduce((sum, one) => sum + Number(one), 0) / 1e6;
}

/** Made right before they are sent: a proof is good for a minute. */
type Make = () => Promise<string[]>;

function many(make: () => string | Promise<string>): Make {
  return async () => {
    const made: string[] = [];
    for (let n = 0; n < COUNT; n += 1) made.push(await make());
    return made;
  };
}

function get(path: string, headers: Record<string, string> = {}): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines(headers)}\r\n`;
}

function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}, more = ''): string {
  const body = new URLSearchParams(form).toString() + more;
  const head = { 'Content-Type': FORM, 'Content-Length': String(body.length), ...headers };
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines(head)}\r\n${body}`;
}

/** Each byte in a chunk of its own. */
function postSlowly(path: string, body: string): string {
  const head = { 'Content-Type': FORM, 'Transfer-Encoding': 'chunked', Origin: origin };
  const chunks = body.replaceAll(/./g, '1\r\n$&\r\n');
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines(head)}\r\n${chunks}0\r\n\r\n`;
}

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n.toString(36)}`, '']));
}

function resources(count: number): string {
  return Array.from({ length: count }, (_, n) => `&resource=https%3A%2F%2Fa.example%2F${n}`).join('');
}

function lines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

async function proof(alg: Alg, path: string, more: { isForged?: boolean } = {}): Promise<string> {
  const { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject } = keys[alg];
  const jwk = await exportJWK(publicKey);
  const signed = await new SignJWT({
    htm: 'POST',
    htu: origin + path,
    jti: randomUUID(),
    // Two thousand of them take a while to make, and then to be sent.
    iat: Math.floor(Date.now() / 1000) + 50,
  })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
    .sign(privateKey);
  return more.isForged === true ? `${signed.slice(0, -8)}AAAAAAAA` : signed;
}

async function assertion(alg: 'RS256' | 'ES256'): Promise<Record<string, string>> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { iss: 'signer', sub: 'signer', aud: origin, jti: randomUUID(), exp: nowSeconds + 500 };
  const signed = await new SignJWT(claims).setProtectedHeader({ alg, kid: alg }).sign(keys[alg].privateKey);
  return { client_assertion_type: JWT_BEARER, client_assertion: `${signed.slice(0, -8)}AAAAAAAA` };
}

/** A token of ours but for its signature, with the key name of a real one. */
async function forgedToken(): Promise<string> {
  const { keys: ours } = (await (await fetch(`${origin}/jwks`)).json()) as { keys: { kid: string; alg: string }[] };
  const kid = ours.find(({ alg }) => alg === 'RS256')?.kid ?? '';
  const claims = { iss: origin, sub: 'x', client_id: 'tv', sid: 'x', jti: randomUUID(), aud: origin };
  const token = await new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + 500 })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
    .sign(keys.RS256.privateKey);
  return token;
}

async function startedGrant(): Promise<{ device_code: string; user_code: string }> {
  const body = new URLSearchParams({ client_id: 'tv' });
  return (await (await fetch(`${origin}/device_authorization`, { method: 'POST', body })).json()) as {
    device_code: string;
    user_code: string;
  };
}

async function kinds(): Promise<Record<string, Make>> {
  const started = await startedGrant();
  const poll = { grant_type: DEVICE_CODE_GRANT, client_id: 'tv', device_code: started.device_code };
  const page = await fetch(`${origin}/device`);
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const html = await page.text();
  const tokenOf = (path: string) =>
    new RegExp(`action="[^"]*${path}"[^]*?name="token" value="([^"]+)"`).exec(html)?.[1] ?? '';
  const token = tokenOf('/device');
  const browser = { Cookie: cookie, Origin: origin };
  const access = await forgedToken();
  const robot = `Basic ${Buffer.from('robot:a-guess-of-its-secret').toString('base64')}`;
  // As far as somebody comes with a code of their own, before they would have to sign in.
  const entered = await fetch(`${origin}/device`, {
    method: 'POST',
    headers: browser,
    body: new URLSearchParams({ token, user_code: (await startedGrant()).user_code }),
    redirect: 'manual',
  });
  const [session = ''] = entered.headers.getSetCookie().map((line) => line.split(';')[0]);
  const signIn = entered.headers.get('location') ?? '';
  const withSession = { Cookie: `${cookie}; ${session}` };
  let user = 0;
  const fresh = (form: Record<string, string>) => {
    user += 1;
    return { ...form, user_code: `BCDF-${user.toString(20).padStart(4, 'B').toUpperCase()}` };
  };
  return {
    'GET /jwks': many(() => get('/jwks')),
    'GET /.well-known/openid-configuration': many(() => get('/.well-known/openid-configuration')),
    'POST /device_authorization': many(() => post('/device_authorization', { client_id: 'tv' })),
    'POST /device_authorization, DPoP ES256': many(async () =>
      post('/device_authorization', { client_id: 'tv' }, { DPoP: await proof('ES256', '/device_authorization') }),
    ),
    'POST /device_authorization, DPoP RSA-4096': many(async () =>
      post('/device_authorization', { client_id: 'tv' }, { DPoP: await proof('RS256', '/device_authorization') }),
    ),
    'POST /token, made-up code': many(() => post('/token', { ...poll, device_code: randomUUID() })),
    'POST /token, pending code': many(() => post('/token', poll)),
    ...Object.fromEntries(
      (['ES256', 'EdDSA', 'RS256'] as const).flatMap((alg) => [
        [
          `POST /token, pending code, DPoP ${alg}`,
          many(async () => post('/token', poll, { DPoP: await proof(alg, '/token') })),
        ],
        [
          `POST /token, DPoP ${alg}, forged`,
          many(async () => post('/token', poll, { DPoP: await proof(alg, '/token', { isForged: true }) })),
        ],
      ]),
    ),
    'POST /token, wrong secret by Basic': many(() =>
      post('/token', { grant_type: DEVICE_CODE_GRANT, device_code: started.device_code }, { Authorization: robot }),
    ),
    'POST /token, wrong secret in the body': many(() =>
      post('/token', { ...poll, client_id: 'robot', client_secret: randomUUID() }),
    ),
    'POST /token, forged assertion RSA-4096': many(async () =>
      post('/token', { grant_type: DEVICE_CODE_GRANT, device_code: 'x', ...(await assertion('RS256')) }),
    ),
    'POST /token, forged assertion ES256': many(async () =>
      post('/token', { grant_type: DEVICE_CODE_GRANT, device_code: 'x', ...(await assertion('ES256')) }),
    ),
    'POST /token, made-up refresh token': many(() =>
      post('/token', { grant_type: 'refresh_token', client_id: 'tv', refresh_token: `${randomUUID()}${randomUUID()}` }),
    ),
    'POST /introspect, wrong secret': many(() => post('/introspect', { token: access }, { Authorization: robot })),
    'POST /revoke, forged access token': many(() => post('/revoke', { client_id: 'tv', token: access })),
    'GET /userinfo, forged access token': many(() => get('/userinfo', { Authorization: `Bearer ${access}` })),
    'POST /backchannel-logout/corp, junk': many(() => post('/backchannel-logout/corp', { logout_token: access })),
    'GET /device': many(() => get('/device')),
    'GET /device?user_code=': many(() => get('/device?user_code=BCDF-GHJK')),
    'GET /device, from another site': many(() => get('/device', { 'Sec-Fetch-Site': 'cross-site' })),
    'POST /device, wrong code': many(() => post('/device', fresh({ token }), browser)),
    'POST /device, right code': many(async () =>
      post('/device', { token, user_code: (await startedGrant()).user_code }, browser),
    ),
    'GET /device/sign-in': many(() => get(signIn, withSession)),
    'GET /device/sign-in, with a ticket of nobody': many(() => get('/device/sign-in?ticket=x', withSession)),
    'GET /device/done': many(() => get('/device/done?ticket=x', withSession)),
    'POST /device, without a token': many(() => post('/device', { user_code: 'BCDF-GHJK' }, browser)),
    'GET /sessions': many(() => get('/sessions')),
    'GET /sessions?upstream=corp': many(() => get('/sessions?upstream=corp')),
    'GET /callback/corp?state=&code=': many(() => get(`/callback/corp?state=${randomUUID()}&code=x`)),
    'POST /device/confirm': many(() => post('/device/confirm', { token, decision: 'approve' }, browser)),
    'POST /language': many(() => post('/language', { token: tokenOf('/language'), lang: 'de' }, browser)),
    'GET /nowhere': many(() => get('/nowhere', { Accept: 'text/html' })),
    'GET /device, 15 KiB of cookies': many(() => get('/device', { Cookie: 'a=b;'.repeat(3800) })),
    'GET /device, 15 KiB of empty cookies': many(() => get('/device', { Cookie: ';'.repeat(15_000) })),
    'GET /device, 15 KiB of languages': many(() => get('/device', { 'Accept-Language': 'x,'.repeat(7500) })),
    'GET /device, a name of a language as long': many(() =>
      get('/device', { 'Accept-Language': `en${'-a'.repeat(7500)}` }),
    ),
    'GET /device, Referer of 15 KiB': many(() =>
      get('/device', { Referer: `https://x.example/${'a'.repeat(15_000)}` }),
    ),
    'GET /jwks, 40 KiB of headers': many(() => get('/jwks', manyHeaders(5000))),
    'GET /device, 40 KiB of headers': many(() => get('/device', manyHeaders(5000))),
    'POST /token, 8 KiB, byte by byte': many(() => postSlowly('/token', `client_id=tv&x=${'y'.repeat(8000)}`)),
    'POST /device, 8 KiB, byte by byte': many(() => postSlowly('/device', `token=x&x=${'y'.repeat(8000)}`)),
    'POST /token, a resource of 8 KiB': many(() =>
      post('/token', poll, {}, `&resource=https://${'@['.repeat(3900)}:x`),
    ),
    'POST /token, 60 resources': many(() => post('/token', poll, {}, resources(60))),
    'POST /device_authorization, 8 KiB of scopes': many(() =>
      post('/device_authorization', { client_id: 'tv', scope: 'a '.repeat(3900) }),
    ),
    'POST /device_authorization, a label of 8 KiB': many(() =>
      post('/device_authorization', { client_id: 'tv', device_label: 'a\u0301'.repeat(1100) }),
    ),
    'POST /device, pasted text of 512 characters': many(() =>
      post('/device', { token, user_code: 'BCDF GHJK x '.repeat(42) }, browser),
    ),
    'POST /device, a code of 8 KiB': many(() => post('/device', { token, user_code: 'B'.repeat(7900) }, browser)),
    'POST /device, folded characters of 512': many(() =>
      post('/device', { token, user_code: '\ufdfa'.repeat(512) }, browser),
    ),
  };
}
