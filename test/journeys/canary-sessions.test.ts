import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listSessions } from '../../src/device-sessions/list-sessions.ts';
import { renameSession } from '../../src/device-sessions/rename-session.ts';
import { Canaries, everythingIn, type Haystack, READABLE_REDIS, watchCommands } from '../support/broker/canary.ts';
import { newClientKey } from '../support/broker/client-key.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const random = () => randomBytes(18).toString('base64url');
const API = 'https://packages.example.com';
const serverSecret = random();
const deviceName = `name-${random()}`;
const person = (turn: number) => ({
  sub: 'alice',
  email: `alice-${turn}-${random()}@example.com`,
  groups: [`group-${turn}-${random()}`],
});

/** As the canary search after sign-ins, for what comes later: refreshes, names, revocations, logouts. */
const canaries = new Canaries();
let redis: TestRedis;
let upstream: FakeUpstream;
let test: TestBroker;
let haystacks: Haystack[];

beforeAll(async () => {
  redis = await startRedisServer(READABLE_REDIS);
  upstream = await startFakeUpstream();
  const monitor = await watchCommands(redis.url);
  const clientKey = await newClientKey();
  const minted = { claims: { id_token: ['email', 'groups'], access_token: [] }, resources: [API], redelivery: '30s' };
  test = await createTestBroker({
    store: await movableRedis(redis.settings()),
    upstream,
    environment: { SERVER_SECRET: serverSecret },
    yaml: {
      log: { level: 'trace' },
      clients: {
        'build-cli': minted,
        robot: { ...minted, jwks: { keys: [clientKey.jwk] } },
        relayed: { tokens: 'relay' },
      },
      resource_servers: { packages: { audience: API, client_secret: { env: 'SERVER_SECRET' } } },
    },
  });
  const robot = test.device({
    clientId: 'robot',
    credentials: async () => {
      const client_assertion = await clientKey.assertion({ clientId: 'robot', audience: test.publicUrl });
      canaries.plant('client assertion', client_assertion);
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      return { client_assertion, client_assertion_type };
    },
  });
  await live(test.device(), 'revoke');
  await live(test.device({ dpop: await newDpopKey() }), 'stay');
  await live(robot, 'reuse');
  await live(test.device({ clientId: 'relayed' }), 'stay');
  await nameAll();
  for (const claims of [{ sid: null }, { sub: null, sid: `sid-${random()}` }]) {
    const logoutToken = await upstream.logoutToken({ claims });
    canaries.plant('logout token', logoutToken);
    if (typeof claims.sid === 'string') canaries.plant('upstream sid', claims.sid);
    const body = new URLSearchParams({ logout_token: logoutToken });
    expect((await test.device().send('/backchannel-logout/corp', { method: 'POST', body })).status).toBe(200);
  }

  canaries.plant('resource server secret', serverSecret);
  canaries.plant('device name', deviceName);
  for (const { form } of upstream.requests) {
    for (const name of ['refresh_token', 'token']) {
      const value = form.get(name);
      if (value !== null) canaries.plant(`upstream ${name}`, value);
    }
  }
  const lines = test.lines.map(({ account: _account, subject: _subject, ...line }) => line);
  const log = { name: 'the log', text: Buffer.from(JSON.stringify(lines)).toString('latin1') };
  haystacks = [...(await everythingIn(redis.url)), monitor.seen(), log];
  monitor.stop();
});
afterAll(async () => {
  await test.close();
  await test.store.close();
  await upstream.close();
  await redis.stop();
});

/** A device session with three turns, and an end or none. */
async function live(device: TestDevice, end: 'stay' | 'revoke' | 'reuse'): Promise<void> {
  const learn = (turn: number) => {
    upstream.person = person(turn);
    canaries.plant(`claim email`, String(upstream.person['email']));
    canaries.plant(`claim groups`, String(upstream.person['groups']));
  };
  learn(0);
  const first = await test.signIn(device);
  canaries.learnAnswer(first);
  let token = first.refresh_token;
  for (let turn = 1; turn <= 3; turn += 1) {
    learn(turn);
    const { status, body } = await device.refresh(token);
    expect(status).toBe(200);
    canaries.learnAnswer(body);
    token = body.refresh_token;
    const packages = test.device({ clientId: 'packages', secret: serverSecret });
    await packages.introspect(body.access_token);
    const bearer = { headers: { authorization: `Bearer ${body.access_token}` } };
    await device.send('/userinfo', bearer);
  }
  if (end === 'revoke') await device.revoke(token);
  if (end === 'reuse') {
    await test.advance(31_000);
    expect((await device.refresh(first.refresh_token)).body.error).toBe('invalid_grant');
  }
}

async function nameAll(): Promise<void> {
  const { storage, sealing, randomBytes: bytes } = test.broker.processContext;
  const { ledger } = storage;
  const deps = { ledger, sealing, clients: new Map(), onUnreadable: () => undefined };
  const devices = await listSessions(deps, { upstream: 'corp', subject: 'alice' });
  expect(devices).toHaveLength(4);
  for (const { session } of devices) await renameSession({ ledger, sealing, randomBytes: bytes }, session, deviceName);
}

it('every kind of secret was learned, and every kind of entry looked at', () => {
  const learned = ['upstream refresh_token', 'upstream token', 'device refresh_token', 'claim email', 'device name'];
  expect(canaries.names).toEqual(expect.arrayContaining(learned));
  const names = haystacks.map(({ name }) => name).join('\n');
  for (const part of [':refresh', ':userinfo:', ':ended', ':name:1', ':last-used', 'before:']) {
    expect(names, part).toContain(part);
  }
});

it('no secret of a device session is in Redis, its commands or the log', () => {
  expect(canaries.hits(haystacks)).toEqual([]);
});
