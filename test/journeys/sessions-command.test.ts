import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run as runEnd } from '../../src/cli/admin/end.ts';
import { run as runSessions } from '../../src/cli/admin/sessions.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { listKillMarks } from '../../src/device-sessions/kill-marks.ts';
import { announcedEndEntry, announcedEndsIndex } from '../../src/ledger/entry-keys.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { RedisLedger } from '../../src/storage/redis/redis-ledger.ts';
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

/** As a script calls it, where nobody can be asked. */
async function gatehouse(...args: string[]): Promise<number> {
  const ends = args.slice(0, 2).includes('end');
  return asTyped(...args, ...(ends ? ['--yes'] : []));
}

async function asTyped(...args: string[]): Promise<number> {
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

  it('for people: a table, the last used first, whose columns stand under each other', async () => {
    const alice = await signInAs('alice');
    await signInAs('bob-with-a-long-name', 'tv');
    await store.advance(60 * SECOND);
    test.upstream.person = personOf('alice');
    await test.device().refresh(alice.refresh_token);
    expect(await gatehouse('sessions', 'list')).toBe(0);
    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    expect(head.split(/ {2,}/)).toEqual(['SESSION', 'WHO', 'CLIENT', 'DEVICE', 'WHERE', 'SINCE', 'LAST USED', 'ENDS']);
    expect(rows.map((row) => row.split(/ {2,}/)[1])).toEqual([
      'alice@example.com (corp|alice)',
      'bob-with-a-long-name@example.com (corp|bob-with-a-long-name)',
    ]);
    for (const row of rows) {
      expect(row.slice(head.indexOf('WHERE'))).toMatch(/^127\.0\.0\.1 {2}\d{4}-\d\d-\d\dT\d\d:\d\dZ {2}/);
    }
    expect(stderr).toContain('2 device sessions\n');
  });

  it('--active leaves out what has ended; --account and --device find it by what is shown', async () => {
    const device = test.device();
    const started = await device.start({ device_label: 'Build server 7' });
    await test.approve(started.body.user_code);
    const { body } = await device.poll(started.body.device_code);
    await signInAs('bob');
    expect(await listed('--device', 'build SERVER 7')).toHaveLength(1);
    expect(await listed('--account', 'Bob@Example.com')).toMatchObject([{ subject: 'bob' }]);
    expect(await listed('--subject', 'corp|bob')).toMatchObject([{ subject: 'bob' }]);
    await device.revoke(body.refresh_token);
    expect(await listed()).toHaveLength(2);
    expect(await listed('--active')).toMatchObject([{ subject: 'bob' }]);
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

describe('gatehouse sessions show', () => {
  it('tells all of one session, by its id or by what the log has of it', async () => {
    await signInAs('alice');
    const [{ session } = {}] = await listed();
    for (const id of [String(session), String(session).slice(0, 8)]) {
      expect(await gatehouse('sessions', 'show', id)).toBe(0);
      expect(stdout).toContain(`session:      ${String(session)}\n`);
      expect(stdout).toContain('account:      alice@example.com\n');
      expect(await gatehouse('sessions', 'show', id, '--json')).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ session, subject: 'alice' });
    }
  });

  it('of none is exit 1, with what to do', async () => {
    expect(await gatehouse('sessions', 'show', 'AAAAAAAAAAAA')).toBe(1);
    expect(stderr).toContain('gatehouse sessions list');
  });
});

describe('gatehouse sessions end', () => {
  it.each([
    ['a subject', ['--upstream', 'corp', '--subject', 'carol']],
    ['an account', ['--account', 'carol@example.com']],
    ['a client', ['--client', 'bulid-cli']],
    ['an upstream', ['--upstream', 'crop']],
    ['a session', ['--session', 'AAAAAAAAAAAA']],
    ['a device', ['--device', 'Bulid server']],
  ])('of %s that nobody knows is exit 1, with what to do, with --dry-run too', async (_what, args) => {
    await signInAs('alice');
    for (const more of [[], ['--dry-run']]) {
      expect(await gatehouse('sessions', 'end', ...args, ...more)).toBe(1);
      expect(stderr).toContain(JSON.stringify(args.at(-1)));
      expect(stderr).toContain('gatehouse sessions list');
    }
  });

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
    ['a person as tokens have it', ['--upstream', 'corp', '--subject', 'corp|alice'], ['alice']],
    ['a person as tokens have it, alone', ['--subject', 'corp|bob'], ['bob']],
    ['a person by e-mail address', ['--account', 'Alice@example.com'], ['alice']],
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

  it.each([
    ['a client', ['--client', 'bulid-cli']],
    ['an upstream', ['--upstream', 'other']],
    ['an e-mail address for a subject', ['--upstream', 'corp', '--subject', 'alice@example.com']],
    ['a subject of another upstream', ['--subject', 'other|alice']],
    ['an account', ['--account', 'carol@example.com']],
    ['a session', ['--session', 'AAAAAAAAAAAA']],
    ['a device', ['--device', 'Bulid server']],
  ])('%s that nobody knows is exit 1, with what to do, and nobody else is touched', async (_what, args) => {
    const { refresh_token: token } = await signInAs('alice');
    await store.advance(SECOND);
    expect(await gatehouse('end', ...args)).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(JSON.stringify(args.at(-1)));
    expect(stderr).toContain('gatehouse sessions list');
    expect(await gatehouse('end', ...args, '--json')).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ended: 0, known: false });
    expect(await gatehouse('end', ...args, '--dry-run')).toBe(1);
    expect(await isAlive(token)).toBe(true);
  });

  it('a client that was taken out of the configuration is known by its sessions', async () => {
    await signInAs('alice', 'tv');
    await store.advance(SECOND);
    const written = JSON.parse(await readFile(file, 'utf8'));
    delete written.clients.tv;
    await writeFile(file, JSON.stringify(written));
    expect(await gatehouse('end', '--client', 'tv')).toBe(0);
    expect(stdout).toContain('That ended 1 device session.');
  });

  it('a person without a session, who has approved: exit 1, and the device gets nothing', async () => {
    const { body } = await test.device().start();
    test.upstream.person = personOf('alice');
    await test.approve(body.user_code);
    await store.advance(SECOND);
    expect(await gatehouse('end', '--upstream', 'corp', '--subject', 'corp|alice')).toBe(1);
    expect(stderr).toContain('does not count any more');
    expect((await test.device().poll(body.device_code)).body.error).toBe('access_denied');
  });

  it('--session and --device end these and no other', async () => {
    const tokens = [await signInAs('alice'), await signInAs('alice')];
    const [first] = await listed();
    await gatehouse('end', '--session', String(first?.['session']).slice(0, 8));
    expect(stdout).toContain('That ended 1 device session.');
    const alive = await Promise.all(tokens.map(({ refresh_token }) => isAlive(refresh_token)));
    expect(alive.filter(Boolean)).toHaveLength(1);
    const device = test.device();
    const started = await device.start({ device_label: 'Left on a train' });
    await test.approve(started.body.user_code);
    const lost = (await device.poll(started.body.device_code)).body.refresh_token;
    expect(await gatehouse('end', '--device', 'left on a train', '--json')).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device: 'left on a train', ended: 1 });
    expect(await isAlive(lost)).toBe(false);
    expect(await listed('--active')).toHaveLength(1);
  });

  it('--dry-run counts, and changes nothing', async () => {
    const { refresh_token: token } = await signInAs('alice');
    await store.advance(SECOND);
    for (const args of [
      ['end', '--all'],
      ['end', '--account', 'alice@example.com'],
      ['sessions', 'end', '--all'],
    ]) {
      expect(await asTyped(...args, '--dry-run')).toBe(0);
      expect(stdout).toMatch(/^That would end 1 device session.*Nothing was changed\.\n$/);
      expect(await asTyped(...args, '--dry-run', '--json')).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ would_end: 1 });
    }
    expect(await isAlive(token)).toBe(true);
  });

  it('asks on a terminal, and only a yes ends anything', async () => {
    const { refresh_token: token } = await signInAs('alice');
    await store.advance(SECOND);
    const answered = (run: typeof runEnd, args: string[], answer: string) => {
      const input = Object.assign(new PassThrough(), { isTTY: true });
      input.end(answer);
      return run([...args, '--config', file], input);
    };
    for (const answer of ['\n', 'n\n', 'yeah\n', '']) {
      expect(await answered(runEnd, ['--all'], answer)).toBe(1);
      expect(await answered(runSessions, ['end', '--all'], answer)).toBe(1);
    }
    expect(stderr).toContain('End 1 device session? [y/N]');
    expect(await listed('--active')).toHaveLength(1);
    expect(await answered(runEnd, ['--all'], 'y\n')).toBe(0);
    expect(await isAlive(token)).toBe(false);
  });

  it('without a terminal and without --yes nothing is done: exit 64', async () => {
    const { refresh_token: token } = await signInAs('alice');
    for (const args of [
      ['end', '--all'],
      ['sessions', 'end', '--all'],
    ]) {
      expect(await asTyped(...args)).toBe(64);
      expect(stderr).toContain('--yes');
    }
    expect(await isAlive(token)).toBe(true);
  });
});

const WRITES = ['commit', 'enlist', 'raise', 'take'] as const;

/** The storage of the command is lost at its nth write, which was carried out or not. */
function loseAt(nth: number, isDone: boolean) {
  let writes = 0;
  const spies = WRITES.map((verb) => {
    const { [verb]: original } = RedisLedger.prototype;
    return vi.spyOn(RedisLedger.prototype, verb).mockImplementation(async function (
      this: RedisLedger,
      ...args: unknown[]
    ) {
      writes += 1;
      if (writes < nth) return Reflect.apply(original, this, args);
      if (writes === nth && isDone) await Reflect.apply(original, this, args);
      throw new StorageUnavailableError('no answer');
    } as never);
  });
  return {
    mend() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

describe('an outage in the middle of gatehouse end', () => {
  it.each(
    [1, 2, 3, 4, 5, 6, 7].flatMap((nth) => [
      [nth, 'is not carried out', false] as const,
      [nth, 'is carried out, and its answer is lost', true] as const,
    ]),
  )(
    'leaves nothing in force that list and audit do not name, and run again it does the rest: write %i %s',
    async (nth, _, isDone) => {
      const { ledger } = store.storage;
      await signInAs('alice');
      const outage = loseAt(nth, isDone);
      expect(await gatehouse('end', '--client', 'build-cli')).toBe(69);
      outage.mend();
      expect(stderr).toContain('Run the same command again');
      const [markedAtMs = 0] = await ledger.marks(['before:client:build-cli']);
      const sealing = createSealing([new Secret(process.env['SEALING_KEY'] ?? '')]);
      const { marks } = await listKillMarks({ ledger, sealing }, { after: undefined, limit: 10 });
      expect(marks.some(({ isInForce }) => isInForce)).toBe(markedAtMs > 0);
      if (markedAtMs > 0) expect(await ledger.listed(announcedEndsIndex())).toHaveLength(1);
      if (stderr.includes('In force on every replica now')) expect(markedAtMs).toBeGreaterThan(0);

      expect(await gatehouse('end', '--client', 'build-cli')).toBe(0);
      expect(await listed('--active')).toEqual([]);
      expect(await listed()).toHaveLength(1);
      expect(await ids(ledger.ids('refresh'))).toEqual([]);
      expect(await ids(ledger.ids('ended'))).toHaveLength(1);
    },
  );
});

describe('an outage in the middle of gatehouse sessions end', () => {
  it.each([1, 2, 3, 4])('says how far it came, and run again it does the rest: write %i', async (nth) => {
    await signInAs('alice');
    const outage = loseAt(nth, false);
    expect(await gatehouse('sessions', 'end', '--client', 'build-cli')).toBe(69);
    outage.mend();
    expect(stderr).toContain('0 device sessions ended so far. Run the same command again');
    expect(await gatehouse('sessions', 'end', '--client', 'build-cli')).toBe(0);
    expect(stdout).toContain('Ended 1 device session.');
    expect(await ids(store.storage.ledger.ids('refresh'))).toEqual([]);
  });
});

describe('the audit', () => {
  const told = () => [...test.lines, ...replica.lines].filter(({ event }) => event === 'admin.ended');
  const look = () => Promise.all([test, replica].map(({ broker }) => broker.logAnnouncedEnds()));

  it('has one line of each command, at one replica, with who and what', async () => {
    await signInAs('alice');
    await store.advance(SECOND);
    await gatehouse('end', '--account', 'Alice@example.com');
    await gatehouse('sessions', 'end', '--client', 'build-cli');
    await look();
    await look();
    expect(told()).toHaveLength(2);
    expect(told().find(({ detail }) => detail === 'gatehouse end')).toMatchObject({
      ...{ level: 'info', upstream: 'corp', subject: 'alice', account: 'Alice@example.com' },
      ...{ before: expect.stringMatching(/Z$/), operator: expect.stringContaining('@') },
    });
    expect(told().find(({ detail }) => detail === 'gatehouse sessions end')).toMatchObject({ client: 'build-cli' });
  });

  it('names a session by the tag of the log, and a network', async () => {
    await signInAs('alice');
    const [{ session } = {}] = await listed();
    await gatehouse('end', '--session', String(session));
    await gatehouse('end', '--source', '192.0.2.7');
    await look();
    const tag = String(session).slice(0, 8);
    expect(told()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ session: tag, grant: tag }),
        expect.objectContaining({ source: '192.0.2.7/32' }),
      ]),
    );
  });

  it('has nothing of --dry-run, of a no, or of what somebody else wrote', async () => {
    await gatehouse('end', '--all', '--dry-run');
    const { ledger } = store.storage;
    const expiresAtMs = (await test.now()) + 60 * SECOND;
    await ledger.commit({ attempt: 'x', writes: [{ key: announcedEndEntry('forged'), value: 'x|{}', expiresAtMs }] });
    await ledger.enlist(announcedEndsIndex(), 'forged', expiresAtMs);
    await look();
    expect(told()).toEqual([]);
    const rejected = [...test.lines, ...replica.lines].filter(({ event }) => event === 'storage.rejected');
    expect(rejected).toHaveLength(1);
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
    ['end', '--client', ''],
    ['end', '--upstream', 'corp', '--subject', ''],
    ['end', '--subject', 'alice', '--account', 'a@example.com'],
    ['end', '--session', 'short'],
    ['end', '--device', 'tv', '--client', 'tv'],
    ['sessions', 'show'],
    ['sessions', 'show', 'short'],
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
    // In the layout of every complaint, and with the file that was read.
    expect(stderr).toMatch(new RegExp(`^gatehouse ${args[0]}: ${file} has storage\\.driver memory`));
  });

  it.each(['sessions', 'end'])('gatehouse %s with Redis away: exit 69, in the same layout', async (command) => {
    const storage = { driver: 'redis', redis: { url: 'redis://127.0.0.1:1' } };
    const yaml = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...yaml, storage }));
    expect(await gatehouse(...(command === 'end' ? ['end', '--all'] : ['sessions', 'list']))).toBe(69);
    expect(stderr).toMatch(new RegExp(`^gatehouse ${command}: Redis is away: .*\\(storage of ${file}\\)\n$`));
  });

  it('--help says what is possible', async () => {
    for (const command of ['sessions', 'end']) {
      expect(await runCommand([command, '--help'])).toBe(0);
      expect(stdout).toContain('--before TIME');
    }
  });
});
