import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACE_RULE } from '../../src/grants/redeem/polling.ts';
import { encodeGrantHead } from '../../src/ledger/grant-head.ts';
import { RedisKeys } from '../../src/storage/redis/redis-keys.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

const MINUTE = 60_000;
const HOLDER = { clientId: 'build-cli', challenge: '', jkt: '' };

/** Full of what means something to SCAN's patterns. */
const PREFIX = 'gatehouse:gate[h]ouse*?\\:';

describe('what Redis holds of us', () => {
  let redis: TestRedis;
  let client: Redis;
  let storage: Storage;
  beforeAll(async () => {
    redis = await startRedisServer();
    client = new Redis(redis.url);
    storage = redisStorage(redis.settings({ keyPrefix: PREFIX }));
    await storage.open();
  });
  afterAll(async () => {
    await storage.close();
    client.disconnect();
    await redis.stop();
  });

  it('is all under the prefix, and all of it ends', async () => {
    const { ledger, counters, browserSessions } = storage;
    const nowMs = await ledger.now();
    const expiresAtMs = nowMs + MINUTE;
    const times = { intervalMs: 5000, expiresAtMs, keptUntilMs: expiresAtMs };
    const value = encodeGrantHead({ attempt: 'a', ...HOLDER, ...times });
    await ledger.commit({ attempt: 'a', writes: [{ key: '{id}:grant', value, expiresAtMs }] });
    await ledger.commit({ attempt: 'a', writes: [{ key: 'code:tag', value: 'a|id', expiresAtMs }] });
    await ledger.poll('id', HOLDER, PACE_RULE);
    await ledger.raise('before:all', nowMs, expiresAtMs);
    await ledger.enlist('subject:tag', 'id', expiresAtMs);
    await ledger.lease('{id}:refreshing:0', 'me', 15_000);
    await counters.add('source:192.0.2.1', 60);
    await counters.takePlaces({ places: [{ key: '{x}:places', most: 1 }], windowSeconds: 60, holder: '{x}:holder' });
    await browserSessions.set('hash', 'sealed', MINUTE);

    const keys = await client.keys('*');
    expect(keys.map((key) => key.replace(PREFIX, '')).sort()).toEqual([
      'before:all',
      'browser-session:hash',
      'code:tag',
      'counter:source:192.0.2.1',
      'counter:{x}:holder',
      'counter:{x}:places',
      'subject:tag',
      '{id}:grant',
      '{id}:pace',
      '{id}:refreshing:0',
    ]);
    for (const key of keys) {
      const leftMs = await client.pttl(key);
      expect(leftMs, key).toBeGreaterThan(0);
      expect(leftMs, key).toBeLessThanOrEqual(MINUTE + 1000);
    }
    const ids: string[] = [];
    for await (const id of storage.ledger.ids('grant')) {
      ids.push(id);
    }
    expect(ids).toEqual(['id']);
  });

  it('of an index is only what has not ended', async () => {
    const nowMs = await storage.ledger.now();
    await storage.ledger.enlist('subject:old', 'past', nowMs + 10);
    await storage.ledger.enlist('subject:old', 'longer', nowMs + MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await storage.ledger.enlist('subject:old', 'present', nowMs + MINUTE);
    expect(await client.zrange(`${PREFIX}subject:old`, 0, -1)).toEqual(['longer', 'present']);
  });

  it('of one grant is on one node of a cluster: a prefix may not hold braces', () => {
    expect(() => new RedisKeys('gate{house}:')).toThrow(TypeError);
  });
});
