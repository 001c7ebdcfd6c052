import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { createTestBroker, type TestBroker, testSigningKeys } from '../support/broker/test-broker.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';

const SECOND = 1000;
const CLIENTS = { 'build-cli': {}, tv: { name: 'TV' } };

let redis: TestRedis;
let folder: string;
beforeAll(async () => {
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-sessions-'));
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true });
});

let store: TestStore;
let test: TestBroker;
let replica: TestBroker;
let file: string;
let stdout: string;
let stderr: string;

beforeEach(async () => {
  const { username, password } = LEAST_USER;
  const settings = redis.settings();
  store = await movableRedis(settings);
  const environment = { SEALING_KEY: randomBytes(32).toString('base64url') };
  test = await createTestBroker({ store, environment, yaml: { clients: CLIENTS } });
  const { publicUrl, upstream } = test;
  replica = await createTestBroker({
    ...{ store, environment, publicUrl, upstream, onReplica: true },
    yaml: { clients: CLIENTS },
  });
  file = join(folder, 'gatehouse.json');
  await writeFile(
    file,
    JSON.stringify({
      public_url: publicUrl,
      storage: {
        driver: 'redis',
        redis: { url: redis.url, key_prefix: settings.keyPrefix, username, password: { env: 'REDIS_PASSWORD' } },
      },
      keys: { sealing: [{ env: 'SEALING_KEY' }], signing: { env: 'SIGNING_KEYS' } },
      upstreams: { corp: { display_name: 'Corp', issuer: upstream.issuer, client_id: 'x', authentication: 'none' } },
      clients: Object.fromEntries(
        Object.keys(CLIENTS).map((id) => [id, { name: id, signing_alg: 'ES256', lifetimes: { access_token: '10m' } }]),
      ),
    }),
  );
  vi.stubEnv('REDIS_PASSWORD', password.reveal());
  vi.stubEnv('SEALING_KEY', environment.SEALING_KEY);
  vi.stubEnv('SIGNING_KEYS', await testSigningKeys());
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await replica.close();
  await test.close();
  await test.upstream.close();
  await store.close();
});

async function gatehouse(...args: string[]): Promise<number> {
  stdout = '';
  stderr = '';
  return runCommand([...args, '--config', file]);
}

async function listed(...args: string[]): Promise<Record<string, unknown>[]> {
  expect(await gatehouse('sessions', 'list', '--json', ...args)).toBe(0);
  return JSON.parse(stdout);
}

const personOf = (sub: string) => ({ sub, name: sub, email: `${sub}@example.com` });
const signInAs = async (sub: string, clientId = 'build-cli') => {
  test.upstream.person = personOf(sub);
  return test.signIn(test.device({ clientId }));
};
/** On the other replica, as long as nobody has refreshed it. */
const isAlive = async (token: string, clientId = 'build-cli') =>
  (await replica.device({ clientId }).refresh(token)).status === 200;

describe('gatehouse sessions list', () => {
  it('shows everybody’s sessions, and those that were asked for', async () => {
    expect(await listed()).toEqual([]);
    await signInAs('alice');
    await signInAs('bob', 'tv');
    const all = await listed();
    expect(all).toHaveLength(2);
    expect(all.find(({ subject }) => subject === 'bob')).toMatchObject({
      ...{ client: 'tv', upstream: 'corp', account: 'bob@example.com', source: '127.0.0.1', ended: null },
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const subjects = async (...args: string[]) => (await listed(...args)).map(({ subject }) => subject);
    expect(await subjects('--client', 'tv')).toEqual(['bob']);
    expect(await subjects('--upstream', 'corp', '--subject', 'alice')).toEqual(['alice']);
    expect(await subjects('--client', 'tv', '--upstream', 'corp', '--subject', 'alice')).toEqual([]);
    expect(await subjects('--source', '127.0.0.0/8')).toHaveLength(2);
    expect(await subjects('--source', '192.0.2.0/24')).toEqual([]);
    expect(await subjects('--upstream', 'other')).toEqual([]);
  });

  it('--before: those that began earlier, by a moment or by how long ago', async () => {
    await signInAs('alice');
    expect(await listed('--before', '1h')).toEqual([]);
    expect(await listed('--before', new Date(Date.now() + 60_000).toISOString())).toHaveLength(1);
  });

  it('for people: one line each, with what they need to know', async () => {
    await signInAs('alice');
    expect(await gatehouse('sessions', 'list')).toBe(0);
    expect(stdout).toMatch(/^build-cli {2}corp\|alice {2}alice@example\.com {2}from 127\.0\.0\.1 {2}started /);
    expect(stderr).toContain('1 device session\n');
  });

  it('what a device calls itself is quoted and cannot move the cursor', async () => {
    const device = test.device();
    const { body } = await device.start({ device_label: 'Build\u200b server"' });
    expect(body.error).toBe('invalid_request');
    const started = await device.start({ device_label: 'Build server "7"' });
    await test.approve(started.body.user_code);
    await device.poll(started.body.device_code);
    await gatehouse('sessions', 'list');
    expect(stdout).toContain('"Build server \\"7\\""');
  });

  it('an ended one says by what', async () => {
    const tokens = await signInAs('alice');
    await test.device().revoke(tokens.refresh_token);
    expect(await listed()).toMatchObject([{ ended: 'revoked' }]);
  });
});

describe('gatehouse sessions end', () => {
  it('ends what was asked for, and says what it does not end', async () => {
    const [alice, bob] = [await signInAs('alice'), await signInAs('bob')];
    expect(await gatehouse('sessions', 'end', '--upstream', 'corp', '--subject', 'alice')).toBe(0);
    expect(stdout).toContain('Ended 1 device session.');
    expect(stdout).toContain('At the upstream nobody was signed out');
    expect(await isAlive(alice.refresh_token)).toBe(false);
    expect(await isAlive(bob.refresh_token)).toBe(true);
    expect((await listed('--upstream', 'corp', '--subject', 'alice'))[0]).toMatchObject({ ended: 'administrator' });
  });

  it('--json says how many; a second time it is none', async () => {
    await signInAs('alice');
    await signInAs('bob', 'tv');
    await gatehouse('sessions', 'end', '--all', '--json');
    expect(JSON.parse(stdout)).toEqual({ ended: 2 });
    await gatehouse('sessions', 'end', '--all', '--json');
    expect(JSON.parse(stdout)).toEqual({ ended: 0 });
  });

  it('deletes what the sessions carried', async () => {
    const device = test.device();
    let { refresh_token: token } = await signInAs('alice');
    for (let turn = 0; turn < 3; turn += 1) token = (await device.refresh(token)).body.refresh_token;
    const { ledger } = store.storage;
    expect((await ids(ledger.ids('refresh'))).length).toBe(1);
    await gatehouse('sessions', 'end', '--all');
    expect(await ids(ledger.ids('refresh'))).toEqual([]);
  });
});

async function ids(found: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const id of found) all.push(id);
  return all;
}

describe('gatehouse end, the kill switch', () => {
  it.each([
    ['a client', ['--client', 'tv'], ['bob']],
    ['an upstream', ['--upstream', 'corp'], ['alice', 'bob']],
    ['a person', ['--upstream', 'corp', '--subject', 'alice'], ['alice']],
    ['another upstream', ['--upstream', 'other'], []],
    ['an address', ['--source', '127.0.0.1'], ['alice', 'bob']],
    ['a network', ['--source', '127.0.0.77/24'], ['alice', 'bob']],
    ['another network', ['--source', '192.0.2.0/24'], []],
    ['all', ['--all'], ['alice', 'bob']],
  ])('of %s: holds at once on every replica, also for what is not redeemed yet', async (_what, args, gone) => {
    const clientOf = { alice: 'build-cli', bob: 'tv' };
    const facts = [];
    for (const [subject, clientId] of Object.entries(clientOf)) {
      const tokens = await signInAs(subject, clientId);
      const { body } = await test.device({ clientId }).start();
      await test.approve(body.user_code);
      facts.push({ subject, clientId, tokens, code: body.device_code });
    }
    await store.advance(SECOND);
    expect(await gatehouse('end', ...args)).toBe(0);
    for (const { subject, clientId, tokens, code } of facts) {
      const isGone = gone.includes(subject);
      const device = replica.device({ clientId });
      expect((await device.poll(code)).body.error).toBe(isGone ? 'access_denied' : undefined);
      // Whoever the upstream speaks of at a refresh must be who signed in.
      test.upstream.person = personOf(subject);
      expect(await isAlive(tokens.refresh_token, clientId)).toBe(!isGone);
    }
    await store.advance(SECOND);
    const again = await signInAs('alice', 'tv');
    expect(await isAlive(again.refresh_token, 'tv')).toBe(true);
  });

  it('says in plain words what it ended and what goes on', async () => {
    await signInAs('alice');
    await store.advance(SECOND);
    await gatehouse('end', '--client', 'build-cli');
    expect(stdout).toMatch(
      /^In force on every replica now: what was signed in before .*Z for the client build-cli does/,
    );
    expect(stdout).toContain('That ended 1 device session.');
    expect(stdout).toContain('its session goes on');
    expect(await listed()).toMatchObject([{ ended: 'administrator' }]);
  });

  it('--before spares who signed in later; moments only grow', async () => {
    const early = await signInAs('alice');
    // The command goes by Redis' own clock, which a test does not move.
    await delay(5);
    const between = new Date(await test.now()).toISOString();
    await delay(5);
    const late = await signInAs('bob');
    await gatehouse('end', '--all', '--before', between);
    await gatehouse('end', '--all', '--before', '1h', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ mark: 'all', ended: 0 });
    expect(await isAlive(early.refresh_token)).toBe(false);
    expect(await isAlive(late.refresh_token)).toBe(true);
  });

  it('the mark outlives everything that it could end', async () => {
    await gatehouse('end', '--all');
    const { storage } = store;
    await store.advance(400 * 24 * 3600 * SECOND);
    expect(await storage.ledger.marks(['before:all'])).not.toEqual([0]);
  });

  it('a client that is not configured is named, and ended all the same', async () => {
    expect(await gatehouse('end', '--client', 'bulid-cli')).toBe(0);
    expect(stderr).toContain('no client "bulid-cli"');
  });
});

describe('both', () => {
  it.each([
    ['sessions', 'end'],
    ['sessions', 'prune', '--all'],
    ['sessions', 'list', '--subject', 'alice'],
    ['sessions', 'list', '--source', '300.0.0.1'],
    ['sessions', 'list', '--before', 'yesterday'],
    ['sessions', 'list', '--before', '2026-03-01T12:00:00'],
    ['sessions', 'end', '--all', '--client', 'tv'],
    ['sessions', 'list', '--unknown'],
    ['end'],
    ['end', 'all'],
    ['end', '--client', 'tv', '--upstream', 'corp'],
    ['end', '--source', '127.0.0.0/8'],
    ['end', '--source', '2001:db8::1'],
    ['end', '--all', '--before', '2999-01-01T00:00:00Z'],
  ])('%s %s %s %s: exit 64, and nothing is done', async (...args) => {
    const tokens = await signInAs('alice');
    expect(await gatehouse(...args.filter((arg) => arg !== undefined))).toBe(64);
    expect(stderr).not.toBe('');
    expect(await isAlive(tokens.refresh_token)).toBe(true);
  });

  it.each([
    ['sessions', 'list'],
    ['sessions', 'end', '--all'],
    ['end', '--all'],
  ])('with the memory driver %s %s needs Redis: exit 78', async (...args) => {
    const memory = { public_url: 'http://127.0.0.1:8080', storage: { driver: 'memory' } };
    const rest = {
      upstreams: { corp: { display_name: 'C', issuer: 'http://127.0.0.1:1', client_id: 'x', authentication: 'none' } },
      clients: { tv: { name: 'TV' } },
    };
    await writeFile(file, JSON.stringify({ ...memory, ...rest }));
    expect(await gatehouse(...args)).toBe(78);
    expect(stderr).toContain('need Redis');
  });

  it('--help says what is possible', async () => {
    for (const command of ['sessions', 'end']) {
      expect(await runCommand([command, '--help'])).toBe(0);
      expect(stdout).toContain('--before TIME');
    }
  });
});
