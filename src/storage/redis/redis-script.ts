import { createHash } from 'node:crypto';

/** A Lua script and the hash that Redis knows it by. */
export interface RedisScript {
  readonly lua: string;
  readonly sha1: string;
}

/**
 * The first line of a script that judges by time: Redis' own clock, in milliseconds, as `now`.
 * `offset` is the test's, so that time can be moved in every driver alike; it is 0 in production.
 */
export const readClock = (offset: string): string =>
  `local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) + ${offset}`;

export function redisScript(lua: string): RedisScript {
  const trimmed = lua.replace(/\n\s+/g, '\n').trim();
  return { lua: trimmed, sha1: createHash('sha1').update(trimmed).digest('hex') };
}
