import { RedisStore } from 'connect-redis';
import type { Store } from 'express-session';
import { browserSessionLifeMs } from './browser-session-life.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';

/** connect-redis in front of our connection, so that a page waits for Redis no longer than a device does. */
export function redisBrowserSessions(connection: RedisConnection, keys: RedisKeys): Store {
  const client = {
    get: (key: string) => connection.ask((redis) => redis.get(key)),
    set: (key: string, value: string, _ex: 'EX', seconds: number) =>
      connection.ask((redis) => redis.set(key, value, 'EX', seconds)),
    del: (each: string[]) => connection.ask((redis) => redis.del(each)),
    expire: (key: string, seconds: number) => connection.ask((redis) => redis.expire(key, seconds)),
  };
  return new RedisStore({
    client,
    prefix: keys.browserSessionPrefix,
    ttl: (session) => Math.ceil(browserSessionLifeMs(session) / 1000),
  });
}
