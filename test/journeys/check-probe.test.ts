import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countOldSealingKeys } from '../../src/cli/check/old-sealing-keys.ts';
import { probe } from '../../src/cli/check/probe.ts';
import type { Config } from '../../src/config/config.ts';
import { type DeviceSession, sealSession } from '../../src/device-sessions/device-session.ts';
import { encodeRefreshState, newSalt } from '../../src/device-sessions/refresh/refresh-state.ts';
import { startGrant } from '../../src/grants/start/start-grant.ts';
import { BASE20 } from '../../src/grants/start/user-code.ts';
import { refreshEntry, sessionEntry } from '../../src/ledger/entry-keys.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createSealing, type Sealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { RedisSettings } from '../../src/storage/storage.ts';
import { unusedPort } from '../support/broker/broker-process.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { leastFile, read } from '../unit/config/written.ts';
import { sampleApproval } from '../unit/tokens/token-samples.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

const key = () => new Secret(randomBytes(32).toString('base64url'));

async function withLedger(settings: RedisSettings, use: (ledger: Ledger) => Promise<void>): Promise<void> {
  const storage = redisStorage(settings);
  await storage.open();
  await use(storage.ledger);
  await storage.close();
}

async function start(ledger: Ledger, sealing: Sealing): Promise<void> {
  const userCodes = { alphabet: BASE20, length: 8, group: 4 };
  await startGrant(
    { ledger, sealing, randomBytes, userCodes },
    {
      ...{ clientId: 'cli', challenge: '', jkt: '', scopes: ['openid'], resources: [], source: '192.0.2.1' },
      ...{ lifetimeSeconds: 600, intervalSeconds: 5, userCodeLength: 8 },
    },
  );
}

/** A session that began under one key and was last refreshed under another. */
async function writeSession(ledger: Ledger, began: Sealing, refreshed: Sealing, refreshes: number): Promise<void> {
  const id = randomBytes(16).toString('base64url');
  const endsAtMs = (await ledger.now()) + 60_000;
  const session = { id, clientId: 'cli', keyName: began.firstKeyName, endsAtMs } as DeviceSession;
  const write = async (entry: string, content: string) => {
    const attempt = randomBytes(8).toString('base64url');
    await ledger.commit({ attempt, writes: [{ key: entry, value: `${attempt}|${content}`, expiresAtMs: endsAtMs }] });
  };
  const sealed = await sealSession('', session, began);
  await write(sessionEntry(id), sealed.slice(1));
  const attempt = randomBytes(8).toString('base64url');
  const state = { attempt, madeAtMs: 0, salt: newSalt(randomBytes), nextSalt: newSalt(randomBytes) };
  const token = { sessionId: id, n: refreshes, secret: key() };
  const carried = { approval: sampleApproval(), upstreamAnsweredAtMs: 0 };
  const value = await encodeRefreshState(token, state, carried, undefined, refreshed.firstKeyName, refreshed);
  await ledger.commit({ attempt, writes: [{ key: refreshEntry(id), value, expiresAtMs: endsAtMs }] });
}

async function probed(change: Partial<Config>): Promise<{ isFine: boolean; said: string }> {
  const lines: string[] = [];
  const config = { ...read(leastFile()), upstreams: [], ...change };
  const isFine = await probe(config, ({ about, level, text }) => lines.push(`${about}: ${level}: ${text}`));
  return { isFine, said: lines.join('\n') };
}

describe('what still names an old sealing key', () => {
  it('is counted for each key after the first: grants, and sessions by whatever of theirs names it', async () => {
    const settings = redis.settings();
    const [first, second, third] = [key(), key(), key()];
    await withLedger(settings, async (ledger) => {
      const [byFirst, bySecond, byThird] = [first, second, third].map((one) => createSealing([one]));
      if (byFirst === undefined || bySecond === undefined || byThird === undefined) throw new Error('three keys');
      await start(ledger, byFirst);
      await start(ledger, bySecond);
      await start(ledger, bySecond);
      await writeSession(ledger, byThird, bySecond, 5);
      await writeSession(ledger, byThird, byFirst, 0);
      await writeSession(ledger, byFirst, byFirst, 11);
    });
    const counts = await countOldSealingKeys(settings, { keys: [first, second, third] });
    expect(counts.map(({ index, entries }) => [index, entries])).toEqual([
      [1, 3],
      [2, 2],
    ]);
    const name = createSealing([second]).firstKeyName;
    expect(counts[0]?.name).toBe(name);
  });

  it('is counted too where it is not there any more, and a probe says what is wrong', async () => {
    const settings = redis.settings();
    const [first, removed] = [key(), key()];
    await withLedger(settings, async (ledger) => {
      const [byFirst, byRemoved] = [createSealing([first]), createSealing([removed])];
      await start(ledger, byFirst);
      await start(ledger, byRemoved);
      await writeSession(ledger, byRemoved, byFirst, 3);
    });
    const name = createSealing([removed]).firstKeyName;
    expect(await countOldSealingKeys(settings, { keys: [first] })).toEqual([{ index: undefined, name, entries: 2 }]);
    const { isFine, said } = await probed({
      storage: { driver: 'redis', redis: settings },
      sealing: { keys: [first] },
    });
    expect(isFine).toBe(false);
    expect(said).toContain(
      `keys.sealing (${name}): wrong: it is named by 2 grants and sessions and is not there: put it back`,
    );
  });

  it('is nothing in an empty Redis', async () => {
    const counts = await countOldSealingKeys(redis.settings(), { keys: [key(), key()] });
    expect(counts).toMatchObject([{ index: 1, entries: 0 }]);
  });
});

describe('check --probe', () => {
  it('says what Redis is, and which old key can go', async () => {
    const storage = { driver: 'redis' as const, redis: redis.settings() };
    const { isFine, said } = await probed({ storage, sealing: { keys: [key(), key()] } });
    expect(said).toMatch(/^Redis: ok: version \d+\.\d+.*noeviction$/m);
    expect(said).toMatch(
      /^keys\.sealing\[1\] \(.{6}\): note: 0 grants and sessions name it; if it is new, move it first once .*; if it came first before, it can be taken out$/m,
    );
    expect(isFine).toBe(true);
  });

  it('is not fine with a Redis that evicts', async () => {
    const evicting = await startRedisServer(['--maxmemory-policy', 'allkeys-lru']);
    try {
      const { isFine, said } = await probed({ storage: { driver: 'redis', redis: evicting.settings() } });
      expect(said).toMatch(/^Redis: wrong: maxmemory-policy is allkeys-lru/m);
      expect(isFine).toBe(false);
    } finally {
      await evicting.stop();
    }
  });

  it('is not fine where Redis or an upstream is away', async () => {
    const away = { at: { url: 'redis://127.0.0.1:9' }, keyPrefix: 'x:' };
    expect(await probed({ storage: { driver: 'redis', redis: away } })).toMatchObject({
      isFine: false,
      said: expect.stringMatching(/^Redis: away: redis:\/\/127\.0\.0\.1:9: connect ECONNREFUSED/),
    });
    const nobody = `http://127.0.0.1:${await unusedPort()}`;
    const { upstreams } = read(leastFile({ issuer: nobody }));
    expect(await probed({ upstreams })).toMatchObject({
      isFine: false,
      said: expect.stringContaining(`upstream corp: away: ${nobody}/.well-known/openid-configuration: ECONNREFUSED`),
    });
  });

  it('names a proxy that is set and not used, where an upstream cannot be reached', async () => {
    const nobody = `http://127.0.0.1:${await unusedPort()}`;
    const { upstreams } = read(leastFile({ issuer: nobody }), { environment: { HTTPS_PROXY: 'http://proxy:3128' } });
    const { said } = await probed({ upstreams });
    expect(said).toMatch(/^upstream corp: away: .*; HTTPS_PROXY is set and is not used: write proxy:/m);
  });
});
