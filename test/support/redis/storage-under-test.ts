import type { StorageUnderTest } from '../../../src/contract.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import { answeringNodes, createRedisClient } from '../../../src/storage/redis/redis-client.ts';
import { redisStorage } from '../../../src/storage/redis/redis-storage.ts';
import type { RedisSettings } from '../../../src/storage/storage.ts';
import { asAdministrator } from '../broker/least-rights.ts';
import { tcpProxy } from './tcp-proxy.ts';

/** What a test of the broker needs of a storage: it makes no outages, or has its own way. */
export type TestStore = Omit<StorageUnderTest, 'outage'>;

/** A memory storage whose clock is moved by hand, and goes on by itself too. */
export async function movableMemory(): Promise<StorageUnderTest> {
  let aheadMs = 0;
  const storage = memoryStorage({ clock: () => Math.floor(performance.timeOrigin + performance.now()) + aheadMs });
  await storage.open();
  return {
    storage,
    replica: storage,
    advance: async (milliseconds) => {
      aheadMs += milliseconds;
    },
    outage: undefined,
    close: () => storage.close(),
  };
}

/**
 * Two processes' storages in one Redis. Time is moved by the offset, and what it passes is made to expire,
 * by a user who may do that, where the storage's own may not.
 *
 * @param reachedBy how the first of them gets there
 */
export async function movableRedis(settings: RedisSettings, reachedBy = settings): Promise<TestStore> {
  let aheadMs = 0;
  const storage = redisStorage(reachedBy, { clockOffsetMs: () => aheadMs });
  const replica = redisStorage(settings, { clockOffsetMs: () => aheadMs });
  await Promise.all([storage.open(), replica.open()]);
  return {
    storage,
    replica,
    advance: async (milliseconds) => {
      aheadMs += milliseconds;
      await ageKeys(asAdministrator(settings), milliseconds);
    },
    close: async () => {
      await Promise.all([storage.close(), replica.close()]);
    },
  };
}

/** The same, where the way to a single Redis can be cut off for the first of them. */
export async function severableRedis(settings: RedisSettings): Promise<StorageUnderTest> {
  if (!('url' in settings.at)) throw new Error('only the way to a single Redis is cut off here');
  const url = new URL(settings.at.url);
  const proxy = await tcpProxy(Number(url.port));
  url.port = String(proxy.port);
  const { close, ...store } = await movableRedis(settings, { ...settings, at: { url: url.href } });
  return {
    ...store,
    outage: {
      async begin() {
        proxy.mute(true);
        proxy.hang();
      },
      async end() {
        proxy.mute(false);
        proxy.cut();
      },
    },
    close: async () => {
      await close();
      await proxy.close();
    },
  };
}

async function ageKeys(settings: RedisSettings, milliseconds: number): Promise<void> {
  if (milliseconds === 0) {
    return;
  }
  const client = createRedisClient(settings);
  try {
    await client.connect();
    for (const node of answeringNodes(client)) {
      for await (const keys of node.scanStream({ match: `${settings.keyPrefix}*`, count: 1000 })) {
        await Promise.all((keys as string[]).map((key) => node.eval(AGE_KEY, 1, key, milliseconds)));
      }
    }
  } finally {
    client.disconnect();
  }
}

const AGE_KEY = `
  local left = redis.call('PTTL', KEYS[1])
  if left == -1 then return redis.error_reply('a key that never expires: ' .. KEYS[1]) end
  if left >= 0 then redis.call('PEXPIRE', KEYS[1], left - ARGV[1]) end
`;
