import type { Counters } from '../../limits/counters.ts';
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
    async takePlaces({ places, windowSeconds, holder, isLook = false }) {
      const names = [...places.map(({ key }) => key), ...(holder === undefined ? [] : [holder])].map((key) =>
        keys.counter(key),
      );
      if (names.length === 0) return undefined;
      const args = [isLook ? '' : String(windowSeconds), ...places.map(({ most }) => String(most))];
      const full = await connection.run(TAKE, names, args);
      if (!Array.isArray(full)) return undefined;
      const [number, leftMs] = full as [number, number];
      return { index: number - 1, secondsLeft: Math.max(1, Math.ceil(leftMs / 1000)) };
    },
    async giveBackPlaces(all) {
      const names = all.map((key) => keys.counter(key));
      if (names.length > 0) await connection.run(GIVE_BACK, names, []);
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

/**
 * KEYS     counters, then the holder where there is one
 * ARGV     seconds of their window ('' only looks), then the most of each counter
 * returns  nil, or the number of the first that is full and how many milliseconds it has left
 */
const TAKE = redisScript(`
  local counters = #ARGV - 1
  local held = redis.call('MGET', unpack(KEYS))
  if held[counters + 1] then return false end
  for i = 1, counters do
    if tonumber(held[i] or 0) >= tonumber(ARGV[1 + i]) then return { i, redis.call('PTTL', KEYS[i]) } end
  end
  if ARGV[1] == '' then return false end
  for i = 1, #KEYS do
    if held[i] then redis.call('INCRBY', KEYS[i], 1) else redis.call('SET', KEYS[i], 1, 'EX', ARGV[1]) end
  end
  return false
`);

/**
 * KEYS     counters
 * returns  nothing
 */
const GIVE_BACK = redisScript(`
  local held = redis.call('MGET', unpack(KEYS))
  for i = 1, #KEYS do
    if held[i] and tonumber(held[i]) > 0 then redis.call('INCRBY', KEYS[i], -1) end
  end
`);
