import type { BrowserSessions } from '../storage.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';

/** Browser sessions over our connection, so that a page waits for Redis no longer than a device does. */
export function redisBrowserSessions(connection: RedisConnection, keys: RedisKeys): BrowserSessions {
  const keyOf = (key: string) => `${keys.browserSessionPrefix}${key}`;
  const destroy = async (key: string) => {
    await connection.ask((redis) => redis.del(keyOf(key)));
  };
  return {
    get: async (key) => (await connection.ask((redis) => redis.get(keyOf(key)))) ?? undefined,
    async set(key, text, lifeMs) {
      // Redis refuses a life that has ended.
      if (lifeMs <= 0) return destroy(key);
      await connection.ask((redis) => redis.set(keyOf(key), text, 'PX', Math.ceil(lifeMs)));
    },
    destroy,
  };
}
