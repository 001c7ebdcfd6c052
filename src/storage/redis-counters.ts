import type { Counters } from '../limits/counters.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';
import { redisScript } from './redis-script.ts';

export function redisCounters(connection: RedisConnection, keys: RedisKeys): Counters {
  return {
    async add(key, windowSeconds, amount = 1) {
      return Number(await connection.run(ADD, [keys.counter(key)], [String(amount), String(windowSeconds)]));
    },
    async current(key) {
      return Number((await connection.ask((client) => client.get(keys.counter(key)))) ?? 0);
    },
  };
}

/**
 * KEYS     counter
 * ARGV     amount, seconds of its window
 * returns  what it holds then
 */
const ADD = redisScript(`
  redis.call('SET', KEYS[1], 0, 'NX', 'EX', ARGV[2])
  return redis.call('INCRBY', KEYS[1], ARGV[1])
`);
