import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { PACE_RULE } from '../../src/grants/redeem/polling.ts';
import { encodeGrantHead } from '../../src/ledger/grant-head.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { inspectRedis, type RedisStorageOptions, redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { type RedisSettings, type Storage, StorageRefusedError } from '../../src/storage/storage.ts';
import { asAdministrator } from '../support/broker/least-rights.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

const PASSWORD = 'correct horse battery staple';
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) {
    await stop();
  }
});

async function server(...options: string[]): Promise<TestRedis> {
  const redis = await startRedisServer(options);
  stops.push(() => redis.stop());
  return redis;
}

function storageAt(settings: RedisSettings, options: RedisStorageOptions = {}): Storage {
  const storage = redisStorage(settings, options);
  stops.push(() => storage.close());
  return storage;
}

describe('a Redis that evicts', () => {
  it('is refused at the first connection', async () => {
    const redis = await server('--maxmemory-policy', 'allkeys-lru');
    const storage = storageAt(redis.settings());
    await expect(storage.open()).rejects.toThrow(StorageRefusedError);
    await expect(storage.ledger.now()).rejects.toThrow(StorageUnavailableError);
    expect(await storage.isReady()).toBe(false);
  });

  it('is refused when it comes later than we', async () => {
    const redis = await server('--maxmemory-policy', 'volatile-ttl');
    await redis.kill();
    const refused = new Promise<StorageRefusedError>((resolve) => {
      void storageAt(redis.settings(), { onRefused: resolve }).open();
    });
    await delay(100);
    await redis.restart();
    expect((await refused).message).toMatch(/volatile-ttl.*noeviction/);
  });

  it('is found by an inspection, which says what to do', async () => {
    const redis = await server('--maxmemory-policy', 'allkeys-lru');
    const { policy, problems } = await inspectRedis(redis.settings());
    expect(policy).toBe('allkeys-lru');
    expect(problems).toEqual([expect.stringContaining('set it to noeviction')]);
  });
});

describe('a Redis that is too old', () => {
  it.each([
    // Cut short where this one's own version is shorter.
    ['6.0.16', /Redis is 6\.0\.1\d*, and 6\.2 is the oldest/],
    ['7.0.15', undefined],
  ])('%s', async (version, words) => {
    const redis = await server();
    // As one of that version would say it, with as many bytes as this one's own has.
    const own = (await inspectRedis(redis.settings())).version;
    const said = version.padEnd(own.length, '0').slice(0, own.length);
    const disguised = createServer((near) => {
      const far = createConnection(redis.port, '127.0.0.1');
      near.pipe(far).on('data', (bytes) => {
        near.write(bytes.toString('latin1').replace(`redis_version:${own}`, `redis_version:${said}`), 'latin1');
      });
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy());
    }).listen(0, '127.0.0.1');
    await once(disguised, 'listening');
    stops.push(async () => void disguised.close());
    const { port } = disguised.address() as AddressInfo;
    const opening = storageAt({ ...redis.settings(), at: { url: `redis://127.0.0.1:${port}` } }).open();
    if (words === undefined) await opening;
    else await expect(opening).rejects.toThrow(words);
  });
});

describe('an inspection', () => {
  it('of a Redis that is fit finds no problem', async () => {
    const redis = await server();
    const { version, policy, problems } = await inspectRedis(redis.settings());
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect({ policy, problems }).toEqual({ policy: 'noeviction', problems: [] });
  });

  it('of a Redis that is away or hangs fails in time', async () => {
    const redis = await server();
    redis.freeze();
    await expect(inspectRedis(redis.settings(), 300)).rejects.toThrow(StorageUnavailableError);
    redis.thaw();
    await redis.kill();
    await expect(inspectRedis(redis.settings(), 300)).rejects.toThrow(StorageUnavailableError);
  });

  it('of a Redis whose user may not ask says which right is missing', async () => {
    const redis = await server('--user', 'nosy', 'on', `>${PASSWORD}`, '~*', '+@all', '-info');
    const { problems } = await inspectRedis(redis.settings({ username: 'nosy', password: new Secret(PASSWORD) }));
    expect(problems).toEqual([expect.stringContaining('+info')]);
  });
});

describe('access', () => {
  it('with a wrong password or none is refused, and neither is in the error', async () => {
    const redis = await server('--requirepass', PASSWORD);
    const wrong = 'wrong and secret';
    for (const password of [new Secret(wrong), undefined]) {
      const settings = { ...asAdministrator(redis.settings()), ...(password === undefined ? {} : { password }) };
      const error = await storageAt(settings)
        .open()
        .catch((each: unknown) => each);
      expect(error).toBeInstanceOf(StorageRefusedError);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(wrong);
      expect((await inspectRedis(settings)).problems).toEqual([expect.stringContaining('user name or password')]);
    }
  });

  it('whose password is changed later is an outage, without the password in the error', async () => {
    const redis = await server('--requirepass', PASSWORD);
    const storage = storageAt(redis.settings({ password: new Secret(PASSWORD) }), { waitMs: 300 });
    await storage.open();
    const admin = createRedisClient(redis.settings({ password: new Secret(PASSWORD) }));
    stops.push(async () => admin.disconnect());
    await admin.call('CONFIG', 'SET', 'requirepass', 'another');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const error = await storage.ledger.now().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(PASSWORD);
  });
});

describe('a full Redis', () => {
  it('refuses what is new, and lets pending polls and reading go on', async () => {
    const redis = await server('--maxmemory', '3mb');
    const { ledger } = await opened(storageAt(redis.settings()));
    const expiresAtMs = Date.now() + 60_000;
    const holder = { clientId: 'tv', challenge: '', jkt: '' };
    const value = encodeGrantHead({ attempt: 'a', ...holder, intervalMs: 5000, expiresAtMs, keptUntilMs: expiresAtMs });
    await ledger.commit({ attempt: 'a', writes: [{ key: '{id}:grant', value, expiresAtMs }] });
    const fill = async () => {
      for (let n = 0; n < 10_000; n += 1) {
        const big = { key: `code:${n}`, value: `a|${'x'.repeat(10_000)}`, expiresAtMs };
        await ledger.commit({ attempt: 'a', writes: [big] });
      }
    };
    const error = await fill().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect((error as Error).cause).toHaveProperty('message', expect.stringContaining('OOM'));
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('xxxx');
    const facts = await ledger.poll('id', holder, PACE_RULE);
    expect(facts).toEqual({ state: 'pending', pace: 'in_time', intervalMs: 5000 });
    expect((await ledger.read(['{id}:grant'])).values).toEqual([value]);
  });
});

async function opened(storage: Storage): Promise<Storage> {
  await storage.open();
  return storage;
}
