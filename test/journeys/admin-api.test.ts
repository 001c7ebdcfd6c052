import { randomBytes } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { answerIn, rawHttp } from '../support/broker/raw-http.ts';
import { type AdminAnswer, type ServedOperations, serveOperations } from '../support/broker/served-operations.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const SECOND = 1000;
const TOKEN = randomBytes(24).toString('base64url');
const ADMIN = { port: 0, admin: { token: { env: 'ADMIN_TOKEN' } } };
const CLIENTS = { 'build-cli': {}, tv: { name: 'TV' } };

let redis: TestRedis;
let store: TestStore;
let test: TestBroker;
let replica: TestBroker;
let admin: ServedOperations;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await movableRedis(redis.settings());
  const environment = { SEALING_KEY: randomBytes(32).toString('base64url'), ADMIN_TOKEN: TOKEN };
  const yaml = { operations: ADMIN, clients: CLIENTS };
  test = await createTestBroker({ store, environment, yaml });
  const { publicUrl, upstream } = test;
  replica = await createTestBroker({ store, environment, yaml, publicUrl, upstream, onReplica: true });
  admin = await serveOperations(test, TOKEN);
});
afterEach(async () => {
  await admin.close();
  await replica.close();
  await test.close();
  await test.upstream.close();
  await store.close();
});

const personOf = (sub: string) => ({ sub, name: sub, email: `${sub}@example.com` });
const signInAs = async (sub: string, clientId = 'build-cli', start: Record<string, string> = {}) => {
  test.upstream.person = personOf(sub);
  return test.signIn(test.device({ clientId }), { start });
};
const told = (event: string) => test.lines.filter((line) => line.event === event);
const post = (path: string, body?: unknown) => admin.ask(path, { method: 'POST', body });

describe('a help desk', () => {
  it('finds a person’s device, ends it, and the device’s next refresh fails, at another replica too', async () => {
    const alice = await signInAs('alice', 'build-cli', { device_label: 'Laptop' });
    const bob = await signInAs('bob');
    const { body } = await admin.ask('/admin/sessions?account=alice@example.com&active=true');
    expect(body.sessions).toHaveLength(1);
    const [found = {}] = body.sessions;
    expect(found).toMatchObject({
      account: 'alice@example.com',
      client: 'build-cli',
      device_label: 'Laptop',
      ended: null,
    });

    const ended = await post(`/admin/sessions/${found['session']}/end`);
    expect(ended.status).toBe(200);
    expect(ended.body).toMatchObject({ ended: true, session: { session: found['session'], ended: 'administrator' } });
    expect((await replica.device().refresh(alice.refresh_token)).body.error).toBe('invalid_grant');
    test.upstream.person = personOf('bob');
    expect((await replica.device().refresh(bob.refresh_token)).status).toBe(200);

    expect((await post(`/admin/sessions/${found['session']}/end`)).body['ended']).toBe(false);
    expect((await admin.ask(`/admin/sessions/${found['session']}`)).body).toMatchObject({ ended: 'administrator' });
  });

  it('is in the audit with each call, and with what it ended', async () => {
    await signInAs('alice');
    const { body } = await admin.ask('/admin/sessions?client=build-cli');
    const [{ session = '' } = {}] = body.sessions;
    const answer = await post(`/admin/sessions/${session}/end`);
    expect(told('admin.called')).toMatchObject([
      { operator: 'token', route: '/admin/sessions', status: 200, detail: 'client=build-cli', source: '127.0.0.1' },
      { operator: 'token', route: '/admin/sessions/{session}/end', session: session.slice(0, 8), subject: 'alice' },
    ]);
    const requestId = answer.headers.get('x-request-id');
    expect(told('admin.ended')).toMatchObject([
      { requestId, operator: 'token', session: session.slice(0, 8), client: 'build-cli', upstream: 'corp' },
    ]);
  });

  it('ends a pending grant, and an approved one: the device hears access_denied', async () => {
    const [pending, approved] = [await test.device().start(), await test.device().start()];
    await test.approve(approved.body.user_code);
    const { body } = await admin.ask('/admin/grants');
    expect(new Set(body.grants.map(({ state }) => state))).toEqual(new Set(['approved', 'pending']));
    for (const { grant } of body.grants) {
      expect((await post(`/admin/grants/${grant}/end`)).body).toMatchObject({ ended: true, grant: { state: 'ended' } });
      expect((await admin.ask(`/admin/grants/${grant}`)).body['state']).toBe('ended');
    }
    for (const { body: started } of [pending, approved]) {
      expect((await replica.device().poll(started.device_code)).body.error).toBe('access_denied');
    }
    expect((await admin.ask('/admin/grants')).body.grants).toEqual([]);
  });

  it('ends a redeemed grant as the device session that it is, in the metrics too', async () => {
    await signInAs('alice');
    const [session] = (await admin.ask('/admin/sessions')).body.sessions;
    const ended = async () => (await test.broker.processContext.metrics.text()).body;
    const line = 'gatehouse_sessions_ended_total{client="build-cli",reason="administrator"}';
    expect(await ended()).not.toContain(`${line} 1`);
    const pending = await test.device().start();
    for (const { grant } of (await admin.ask('/admin/grants')).body.grants) await post(`/admin/grants/${grant}/end`);
    expect([pending.status, (await ended()).includes(`${line} 1`)]).toEqual([200, false]);
    await post(`/admin/grants/${session?.['session']}/end`);
    await post(`/admin/grants/${session?.['session']}/end`);
    expect(await ended()).toContain(`${line} 1\n`);
  });

  it('is told once of grants that cannot be read', async () => {
    const environment = { SEALING_KEY: randomBytes(32).toString('base64url'), ADMIN_TOKEN: TOKEN };
    const { publicUrl, upstream } = test;
    const yaml = { operations: ADMIN, clients: CLIENTS };
    const other = await createTestBroker({ store, environment, yaml, publicUrl, upstream, onReplica: true });
    for (let n = 0; n < 2; n += 1) await other.device().start();
    await other.close();
    await test.device().start();
    const { status, body } = await admin.ask('/admin/grants');
    expect([status, body.grants.length]).toEqual([200, 1]);
    expect(told('storage.rejected')).toMatchObject([{ detail: expect.stringContaining('others of the same list') }]);
  });

  it('is told of no code, token, secret or upstream token', async () => {
    const tokens = await signInAs('alice');
    const { body } = await test.device().start();
    const texts = await Promise.all(
      ['/admin/sessions', '/admin/grants', '/admin/kill-marks', '/admin/status'].map(
        async (path) => (await admin.ask(path)).text,
      ),
    );
    const secrets = [tokens.refresh_token, tokens.access_token, body.device_code, body.user_code, TOKEN];
    for (const secret of secrets) expect(texts.join('\n')).not.toContain(secret);
    expect(JSON.stringify(test.lines)).not.toContain(TOKEN);
  });
});

describe('kill marks', () => {
  it.each([
    ['a client', { client: 'tv' }, ['bob']],
    ['a person', { upstream: 'corp', subject: 'alice' }, ['alice']],
    ['an upstream', { upstream: 'corp' }, ['alice', 'bob']],
    ['a network', { source: '127.0.0.7/24' }, ['alice', 'bob']],
    ['another network', { source: '192.0.2.0/24' }, []],
    ['everybody', { all: true }, ['alice', 'bob']],
  ])('of %s hold at once on every replica', async (_, order, gone) => {
    const clientOf = { alice: 'build-cli', bob: 'tv' };
    const tokens = { alice: await signInAs('alice'), bob: await signInAs('bob', 'tv') };
    await store.advance(SECOND);
    const set = await post('/admin/kill-marks', order);
    expect(set.status).toBe(200);
    for (const [subject, clientId] of Object.entries(clientOf)) {
      test.upstream.person = personOf(subject);
      const { status } = await replica.device({ clientId }).refresh(tokens[subject as 'alice'].refresh_token);
      expect([subject, status]).toEqual([subject, gone.includes(subject) ? 400 : 200]);
    }
    expect(told('admin.ended')).toMatchObject([{ operator: 'token', before: set.body['before'] }]);
  });

  it('are listed, the newest first, in pages, with who set them', async () => {
    for (const client of ['tv', 'build-cli', 'tv']) await post('/admin/kill-marks', { client });
    const seen = [];
    let from = '';
    do {
      const { body } = await admin.ask(`/admin/kill-marks?limit=2${from}`);
      seen.push(...body.kill_marks);
      from = body.next === null ? '' : `&from=${body.next}`;
    } while (from !== '');
    expect(seen).toHaveLength(3);
    expect(seen[0]).toMatchObject({ mark: 'client', upstream: null, subject: null, operator: 'token' });
    expect(new Set(seen.map(({ client }) => client))).toEqual(new Set(['tv', 'build-cli']));
  });

  it.each([
    ['nothing', {}],
    ['an unknown client', { client: 'bulid-cli' }],
    ['an unknown upstream', { upstream: 'crop' }],
    ['a subject alone', { subject: 'alice' }],
    ['a subject as tokens have it', { upstream: 'corp', subject: 'corp|alice' }],
    ['two at once', { client: 'tv', upstream: 'corp' }],
    ['all: false', { all: false }],
    ['all: "true"', { all: 'true' }],
    ['something else', { client: 'tv', clients: ['tv'] }],
    ['a wide network', { source: '127.0.0.0/8' }],
    ['no network', { source: 'example.com' }],
    ['the future', { client: 'tv', before: '2999-01-01T00:00:00Z' }],
    ['no moment', { client: 'tv', before: 'yesterday' }],
    ['a number', { client: 7 }],
    ['a list', [{ client: 'tv' }]],
    ['inherited names', { client: '__proto__' }],
  ])('of %s are refused, and nobody is cut off', async (_, order) => {
    const { refresh_token: token } = await signInAs('alice');
    await store.advance(SECOND);
    const refused = await post('/admin/kill-marks', order);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_request']);
    expect((await replica.device().refresh(token)).status).toBe(200);
    expect((await admin.ask('/admin/kill-marks')).body.kill_marks).toEqual([]);
  });
});

describe('lists', () => {
  it('come in pages whose cursors another replica knows, with every session', async () => {
    const subjects = Array.from({ length: 9 }, (_, index) => `person-${index}`);
    for (const subject of subjects) await signInAs(subject);
    const other = await serveOperations(replica, TOKEN);
    const seen: string[] = [];
    let from: string | null = null;
    for (let page = 0; page < 1000; page += 1) {
      const at = page % 2 === 0 ? admin : other;
      const query = from === null ? '' : `&from=${encodeURIComponent(from)}`;
      const { body } = (await at.ask(`/admin/sessions?limit=1${query}`)) as AdminAnswer;
      seen.push(...body.sessions.map(({ subject = '' }) => subject));
      from = body.next;
      if (from === null) break;
    }
    await other.close();
    expect(new Set(seen)).toEqual(new Set(subjects));
  });

  it('cost so much and no more, however much is stored, and say once that some cannot be read', async () => {
    const { ledger } = store.storage;
    const expiresAtMs = (await test.now()) + 60 * SECOND;
    const write = (key: string) => ledger.commit({ attempt: 'a', writes: [{ key, value: 'a|', expiresAtMs }] });
    const others = Array.from({ length: 12_000 }, (_, index) => `{filler-${index}}:opened`);
    const unreadable = Array.from({ length: 3000 }, (_, index) => `{foreign-${index}}:session`);
    for (const keys of [others, unreadable]) {
      for (let from = 0; from < keys.length; from += 1000) await Promise.all(keys.slice(from, from + 1000).map(write));
    }
    await signInAs('alice');
    const { idsFrom } = ledger;
    let [steps, opened] = [0, 0];
    ledger.idsFrom = async (...asked) => {
      const piece = await idsFrom.apply(ledger, asked);
      steps += 1;
      opened += piece?.ids.length ?? 0;
      return piece;
    };
    const found: unknown[] = [];
    let [from, calls] = ['', 0];
    do {
      [steps, opened] = [0, 0];
      const { status, body } = await admin.ask(`/admin/sessions?limit=200${from}`);
      expect([status, steps <= 50, opened < 1500]).toEqual([200, true, true]);
      expect(body.sessions.length).toBeLessThan(2 * 200);
      found.push(...body.sessions);
      from = body.next === null ? '' : `&from=${encodeURIComponent(body.next)}`;
      calls += 1;
    } while (from !== '' && calls < 100);
    expect(new Set(found.map((each) => (each as { subject: string }).subject))).toEqual(new Set(['alice']));
    expect(calls).toBeGreaterThan(1);
    expect(told('storage.rejected').length).toBeLessThanOrEqual(calls);
  });

  it.each([
    '/admin/sessions?clinet=tv',
    '/admin/sessions?client=',
    '/admin/sessions?client=tv&client=tv',
    `/admin/sessions?client=${'x'.repeat(400)}`,
    '/admin/sessions?subject=alice',
    '/admin/sessions?session=short',
    '/admin/sessions?source=nowhere',
    '/admin/sessions?before=2h',
    '/admin/sessions?active=yes',
    '/admin/sessions?limit=0',
    '/admin/sessions?limit=100000',
    '/admin/sessions?limit=1e2x',
    '/admin/sessions?from=nonsense',
    '/admin/sessions?from=7:0',
    '/admin/sessions?from=0:99999999999999999999',
    '/admin/grants?from=__proto__',
    '/admin/sessions?__proto__=x',
    '/admin/status?x=y',
  ])('%s is refused with words, and widens nothing', async (path) => {
    await signInAs('alice');
    const { status, body } = await admin.ask(path);
    expect([status, body['error'], typeof body['error_description']]).toEqual([400, 'invalid_request', 'string']);
    expect(body.sessions).toBeUndefined();
  });

  it.each([
    ['GET', '/admin/sessions/nothing-of-ours'],
    ['GET', '/admin/sessions/%7B%7D'],
    ['POST', '/admin/sessions/AAAAAAAAAAAAAAAAAAAAAA/end'],
    ['GET', '/admin/grants/constructor'],
    ['POST', '/admin/grants/*/end'],
    ['GET', '/admin/nothing'],
    ['GET', '/admin/'],
  ])('%s %s is 404 in JSON', async (method, path) => {
    const { status, body } = await admin.ask(path, { method });
    expect([status, body['error']]).toEqual([404, 'invalid_request']);
  });

  it.each([
    ['DELETE', '/admin/sessions', 'GET'],
    ['POST', '/admin/status', 'GET'],
    ['GET', '/admin/reload', 'POST'],
    ['OPTIONS', '/admin/kill-marks', 'GET, POST'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const { status, headers } = await admin.ask(path, { method });
    expect([status, headers.get('allow')]).toEqual([405, allow]);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each([
    ['no type', 'x', {}, 'text/plain'],
    ['a form', 'all=true', {}, 'application/x-www-form-urlencoded'],
    ['no JSON', '{', {}, 'application/json'],
    ['a text', '"all"', {}, 'application/json'],
    ['too much', JSON.stringify({ client: 'x'.repeat(5000) }), {}, 'application/json'],
  ])('a body that is %s is refused', async (_, body, headers, type) => {
    const more = { method: 'POST', body, headers: { ...headers, 'content-type': type } };
    expect((await admin.ask('/admin/kill-marks', more)).status).toBe(400);
  });
});

describe('who may ask', () => {
  it('nobody without the token; a wrong one is told apart from none by its challenge alone', async () => {
    const none = await admin.ask('/admin/sessions', { token: null });
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="gatehouse-admin"']);
    const wrong = await admin.ask('/admin/sessions', { token: `${TOKEN}x` });
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="gatehouse-admin", error="invalid_token"',
    ]);
    const basic = { authorization: `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}` };
    expect((await admin.ask('/admin/sessions', { token: null, headers: basic })).status).toBe(401);
    expect(told('admin.refused').length).toBeGreaterThan(0);
    expect(told('admin.called')).toEqual([]);
  });

  it('a token in the address is refused unseen, a good one too', async () => {
    for (const name of ['access_token', 'token', 'Access_Token']) {
      const { status, body } = await admin.ask(`/admin/sessions?${name}=${TOKEN}`, { token: null });
      expect([status, body['error']]).toEqual([400, 'invalid_request']);
    }
    expect((await admin.ask(`/admin/sessions?access_token=${TOKEN}`)).status).toBe(400);
    expect(JSON.stringify(test.lines)).not.toContain(TOKEN);
  });

  it('wrong tokens are limited; the right one is let in, whatever strangers send from its address', async () => {
    const burst = await Promise.all(
      Array.from({ length: 60 }, (_, index) => admin.ask('/admin/sessions', { token: `guess-${index}` })),
    );
    const heard = burst.filter(({ status }) => status === 401);
    expect(heard).toHaveLength(20);
    const refused = burst.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(40);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await admin.ask('/admin/sessions')).status).toBe(200);
    expect(test.broker.processContext.metrics.overview().limits).toMatchObject([
      { limit: 'failed_authentications_per_source' },
    ]);
    await store.advance(10 * 60 * SECOND + SECOND);
    expect((await admin.ask('/admin/sessions', { token: 'guess' })).status).toBe(401);
  });

  it('is told apart behind a trusted proxy, and believed of nobody else', async () => {
    const from = (address: string) => ({ token: 'guess', headers: { 'x-forwarded-for': address } });
    await admin.ask('/admin/sessions', from('203.0.113.7'));
    expect(told('admin.refused').at(-1)).toMatchObject({ source: '127.0.0.1' });
    test.reload({ operations: ADMIN, clients: CLIENTS, trusted_proxies: ['127.0.0.1/32'] });
    for (let n = 0; n < 21; n += 1) await admin.ask('/admin/sessions', from('203.0.113.7'));
    expect((await admin.ask('/admin/sessions', from('203.0.113.7'))).status).toBe(429);
    expect(told('admin.refused').at(-1)).toMatchObject({ source: '203.0.113.7' });
    expect((await admin.ask('/admin/sessions', from('198.51.100.1'))).status).toBe(401);
  });

  it('nobody by a name that a stranger lets resolve here, and nobody once the configuration has no admin API', async () => {
    const request = `GET /admin/status HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`;
    expect(answerIn(await rawHttp(admin.origin, request)).status).toBe(421);
    test.reload({ operations: { port: 0 }, clients: CLIENTS });
    const { status, text } = await admin.ask('/admin/sessions');
    expect([status, text]).toEqual([404, 'not found\n']);
    expect((await admin.ask('/admin/openapi.json')).status).toBe(404);
  });

  it('another token from the next reload on', async () => {
    const other = randomBytes(24).toString('base64url');
    Object.assign(test.environment, { ADMIN_TOKEN: other });
    test.reload({ operations: ADMIN, clients: CLIENTS });
    expect((await admin.ask('/admin/sessions')).status).toBe(401);
    expect((await admin.ask('/admin/sessions', { token: other })).status).toBe(200);
  });
});

describe('an operator of the upstream', () => {
  const BY_GROUP = { port: 0, admin: { upstream: 'corp', groups: ['helpdesk', 'security'] } };
  const operatorToken = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    test.upstream.logoutToken({
      claims: {
        sub: 'rita',
        aud: 'gatehouse-admin',
        groups: ['helpdesk'],
        events: undefined,
        sid: undefined,
        ...claims,
      },
      header: { typ: 'JWT', ...header },
    });
  beforeEach(() => test.reload({ operations: BY_GROUP, clients: CLIENTS }));

  it.each([
    ['an access token', {}, { typ: 'at+jwt' }],
    ['an ID token', { nonce: 'n', auth_time: Math.floor(Date.now() / 1000) }, { typ: 'JWT' }],
    ['a token without a type', { aud: ['gatehouse-admin'], groups: ['x', 'security'] }, { typ: undefined }],
  ])('with %s of a group is let in, and named in the audit', async (_, claims, header) => {
    const { status } = await admin.ask('/admin/sessions', { token: await operatorToken(claims, header) });
    expect(status).toBe(200);
    expect(told('admin.called')).toMatchObject([{ operator: 'corp|rita' }]);
  });

  it.each([
    ['for Gatehouse’s own client, as devices have with relay', { aud: 'gatehouse' }, {}],
    ['for another application', { aud: 'wiki' }, {}],
    ['for another application too, which could send it here', { aud: ['gatehouse-admin', 'wiki'] }, {}],
    ['for nobody', { aud: undefined }, {}],
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['that ran out', { iat: 1_700_000_000, exp: 1_700_000_100 }, {}],
    ['that lives for years', { iat: 1_700_000_000, exp: 4_000_000_000 }, {}],
    ['that never ends', { exp: undefined }, {}],
    ['without a moment', { iat: undefined }, {}],
    ['of nobody', { sub: undefined }, {}],
    [
      'that is a logout token',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      { typ: 'logout+jwt' },
    ],
    [
      'that is a logout token by its events',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      {},
    ],
    ['that is bound to a key', { cnf: { jkt: 'x' } }, {}],
    ['of a strange type', {}, { typ: 'dpop+jwt' }],
  ])('with a token %s is refused, and the log says why', async (_, claims, header) => {
    const answer = await admin.ask('/admin/sessions', { token: await operatorToken(claims, header) });
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_token']);
    expect(told('admin.refused')).toMatchObject([{ status: 401, detail: expect.stringContaining('token') }]);
  });

  it.each(['none', 'broken', 'foreign_key', 'client_secret'] as const)(
    'with a token whose signature is wrong (%s) is refused',
    async (signature) => {
      const claims = { sub: 'rita', aud: 'gatehouse-admin', groups: ['helpdesk'], events: undefined };
      const token = await test.upstream.logoutToken({ claims, header: { typ: 'JWT' }, signature });
      expect((await admin.ask('/admin/sessions', { token })).status).toBe(401);
    },
  );

  it.each([
    ['none of the groups', { groups: ['engineering'] }],
    ['no groups', { groups: [] }],
    ['groups that did not come', { groups: undefined }],
    ['groups that cannot be read', { groups: [{ name: 'helpdesk' }] }],
    ['groups kept elsewhere', { groups: undefined, _claim_names: { groups: 'src1' } }],
    ['a group that begins alike', { groups: ['helpdesk-guests'] }],
  ])('with %s is told so: 403', async (_, claims) => {
    const answer = await admin.ask('/admin/sessions', { token: await operatorToken(claims) });
    expect([answer.status, answer.body['error']]).toEqual([403, 'insufficient_scope']);
    expect(told('admin.refused')).toMatchObject([{ detail: expect.stringContaining('corp|rita') }]);
  });

  it('who is cut off as a person is no operator any more, until they sign in again', async () => {
    const token = await operatorToken({ iat: Math.floor(Date.now() / 1000) - 60 });
    const order = { method: 'POST', token, body: { upstream: 'corp', subject: 'rita' } };
    expect((await admin.ask('/admin/kill-marks', order)).status).toBe(200);
    expect((await admin.ask('/admin/sessions', { token })).status).toBe(401);
    const again = await operatorToken({ iat: Math.floor(Date.now() / 1000) + 2 });
    expect((await admin.ask('/admin/sessions', { token: again })).status).toBe(200);
    expect((await admin.ask('/admin/kill-marks', { token: again })).body.kill_marks).toMatchObject([
      { operator: 'corp|rita', subject: 'rita' },
    ]);
  });

  it('is asked to come again while the upstream is away', async () => {
    test.upstream.behaviour = { discovery: { trouble: 'close' }, keys: { trouble: 'close' } } as never;
    const answer = await admin.ask('/admin/sessions', { token: await operatorToken() });
    expect([answer.status, answer.body['error']]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.headers.get('retry-after')).toBeTruthy();
    // Our own trouble refuses nobody.
    expect(told('admin.refused')).toEqual([]);
  });

  it.each([
    ['no key set', { jwks: { trouble: 'html' } }],
    ['metadata of another issuer', { discovery: { metadata: { issuer: 'https://evil.example' } } }],
  ])('is not held to account for the provider: %s is 503 and counts for nothing', async (_, behaviour) => {
    test.upstream.behaviour = behaviour as never;
    const token = await operatorToken();
    for (let n = 0; n < 25; n += 1) expect((await admin.ask('/admin/sessions', { token })).status).toBe(503);
    expect(told('admin.refused')).toEqual([]);
    test.upstream.behaviour = {};
    await store.advance(61 * SECOND);
    expect((await admin.ask('/admin/sessions', { token: await operatorToken({ aud: 'wiki' }) })).status).toBe(401);
    expect((await admin.ask('/admin/sessions', { token })).status).toBe(200);
  });

  it('is let in whatever strangers send from the same address', async () => {
    const wrong = await operatorToken({ aud: 'wiki' });
    const burst = await Promise.all(Array.from({ length: 30 }, () => admin.ask('/admin/sessions', { token: wrong })));
    expect(burst.filter(({ status }) => status === 401)).toHaveLength(20);
    expect((await admin.ask('/admin/sessions', { token: wrong })).status).toBe(429);
    expect((await admin.ask('/admin/sessions', { token: await operatorToken() })).status).toBe(200);
  });
});

describe('a storage that does not answer', () => {
  it('is 503 with words, and neither a hanging call nor a 500', async () => {
    const away = () => Promise.reject(new StorageUnavailableError('no answer'));
    Object.assign(store.storage.ledger, { idsFrom: away, read: away, now: away });
    for (const [method, path] of [
      ['GET', '/admin/sessions'],
      ['GET', '/admin/grants'],
      ['GET', '/admin/sessions/AAAAAAAAAAAAAAAAAAAAAA'],
      ['POST', '/admin/kill-marks'],
    ] as const) {
      const body = method === 'POST' ? { all: true } : undefined;
      const answer = await admin.ask(path, { method, body });
      expect([path, answer.status, answer.body['error']]).toEqual([path, 503, 'temporarily_unavailable']);
      expect(answer.body['error_description']).toContain('come again');
    }
  });
});

describe('an outage while a kill mark is set', () => {
  it.each([
    ['commit', false],
    ['commit', true],
    ['enlist', false],
    ['enlist', true],
    ['raise', false],
    ['raise', true],
  ] as const)(
    'leaves none in force that the list does not name, and the audit has the order: %s, carried out: %s',
    async (verb, isDone) => {
      const { ledger } = store.storage;
      const { refresh_token: token } = await signInAs('alice');
      await store.advance(SECOND);
      const { [verb]: original } = ledger;
      ledger[verb] = async (...args: unknown[]) => {
        if (isDone) await Reflect.apply(original, ledger, args);
        throw new StorageUnavailableError('no answer');
      };
      const order = { upstream: 'corp', subject: 'alice' };
      const answer = await post('/admin/kill-marks', order);
      ledger[verb] = original as never;
      expect([answer.status, answer.body['error']]).toEqual([503, 'temporarily_unavailable']);
      expect(answer.body['error_description']).toContain('may be in force or not');
      expect(told('admin.called')).toMatchObject([{ ...order, status: 503, operator: 'token' }]);
      const isInForce = (await replica.device().refresh(token)).status !== 200;
      const listed = (await admin.ask('/admin/kill-marks')).body.kill_marks;
      expect(listed.some((each) => String(each['in_force']) === 'true')).toBe(isInForce);
      expect(isInForce).toBe(verb === 'raise' && isDone);
      expect((await post('/admin/kill-marks', order)).body).toMatchObject({ in_force: true });
    },
  );
});

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, and told without a token', async () => {
    const { status, body } = await admin.ask('/admin/openapi.json', { token: null });
    expect(status).toBe(200);
    const judged = await new Validator().validate(structuredClone(body));
    expect([judged.valid, judged.errors]).toEqual([true, undefined]);
    expect(body['openapi']).toBe('3.1.0');
  });

  it('describes every answer, its refusals too, and nothing more than there is', async () => {
    await signInAs('alice', 'build-cli', { device_label: 'Laptop' });
    await test.device().start();
    await post('/admin/kill-marks', { source: '192.0.2.7' });
    const { body: document } = await admin.ask('/admin/openapi.json');
    const session = (await admin.ask('/admin/sessions')).body.sessions[0]?.['session'];
    const grant = (await admin.ask('/admin/grants')).body.grants[0]?.['grant'];
    const judge = judgeOf(document);
    const calls: [string, string, string, unknown?][] = [
      ['get', '/admin/status', '/admin/status'],
      ['get', '/admin/sessions', '/admin/sessions?active=true'],
      ['get', '/admin/sessions', '/admin/sessions?limit=nonsense'],
      ['get', '/admin/sessions/{session}', `/admin/sessions/${session}`],
      ['get', '/admin/sessions/{session}', '/admin/sessions/unknown'],
      ['post', '/admin/sessions/{session}/end', `/admin/sessions/${session}/end`],
      ['get', '/admin/grants', '/admin/grants'],
      ['get', '/admin/grants/{grant}', `/admin/grants/${grant}`],
      ['post', '/admin/grants/{grant}/end', `/admin/grants/${grant}/end`],
      ['get', '/admin/kill-marks', '/admin/kill-marks'],
      ['post', '/admin/kill-marks', '/admin/kill-marks', { upstream: 'corp', subject: 'nobody' }],
      ['post', '/admin/kill-marks', '/admin/kill-marks', {}],
      ['post', '/admin/reload', '/admin/reload'],
    ];
    for (const [method, path, asked, sent] of calls) {
      const answer = await admin.ask(asked, { method: method.toUpperCase(), body: sent });
      expect([path, judge(method, path, answer)]).toEqual([path, []]);
    }
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(new Set(calls.map(([method, path]) => `${method} ${path}`))).toEqual(new Set(listed));
    const refused = await admin.ask('/admin/sessions', { token: 'wrong' });
    expect(judge('get', '/admin/sessions', refused)).toEqual([]);
  });
});

/** Holds answers against the document; a member that it does not name is found too. */
function judgeOf(document: AdminAnswer['body']) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(closed(structuredClone(document)) as object, 'document');
  return (method: string, path: string, { status, body, headers }: AdminAnswer): string[] => {
    expect(headers.get('content-type')).toBe('application/json');
    const steps = ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const judge = ajv.getSchema(`document#/${pointer}`);
    if (judge === undefined) return [`${status} is not in the document`];
    if (judge(body) === true) return [];
    return (judge.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closed(inner)]));
  return members['type'] === 'object' && 'properties' in members
    ? { ...members, additionalProperties: false }
    : members;
}

describe('a running broker', () => {
  let broker: BrokerProcess;
  afterEach(() => broker.stop());

  it('reloads when the API says so, answers what is wrong, and goes on with what it had', async () => {
    const upstream = await startFakeUpstream();
    const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret, ADMIN_TOKEN: TOKEN };
    const more = { storage: { driver: 'memory' } };
    broker = await startBrokerProcess({ environment, yaml: brokerYaml(upstream, more) });
    const operations = { host: '127.0.0.1', port: Number(new URL(broker.operations).port) };
    const yaml = brokerYaml(upstream, { ...more, operations: { ...operations, admin: ADMIN.admin } });
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(broker.operations + path, { method, headers: { authorization: `Bearer ${TOKEN}` } });
      const isJson = answer.headers.get('content-type') === 'application/json';
      return { status: answer.status, body: (isJson ? await answer.json() : {}) as Record<string, unknown> };
    };
    expect((await ask('/admin/status')).status).toBe(404);
    // Switched on by a reload, since a token that leaked must be changed without a restart.
    await broker.writeConfig(yaml);
    await broker.logged('config.reloaded');
    expect((await ask('/admin/status')).body).toMatchObject({ storage: 'memory', configuration_refused_at: null });
    expect((await ask('/admin/reload', 'POST')).body).toEqual({ outcome: 'ok', problems: [] });
    await broker.writeConfig({ ...yaml, clients: { 'build-cli': { nmae: 'Build CLI' } } });
    const refused = await ask('/admin/reload', 'POST');
    expect(refused.body).toMatchObject({
      outcome: 'refused',
      problems: expect.arrayContaining([expect.stringContaining('did you mean name?')]),
    });
    // What it shows is kept for two seconds.
    const refusedAt = async () => String((await ask('/admin/status')).body['configuration_refused_at']);
    await expect.poll(refusedAt, { timeout: 10_000 }).toMatch(/Z$/);
    const line = await broker.logged('admin.called', ({ outcome }) => outcome === 'refused');
    expect(line).toMatchObject({ operator: 'token', route: '/admin/reload', status: 200 });
    await upstream.close();
  });
});
