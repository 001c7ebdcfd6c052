import { readClock, redisScript } from './redis-script.ts';

// The scripts of what may change: marks, indexes and leases. Entries that are written once have theirs beside the ledger.

/**
 * KEYS     mark
 * ARGV     moment, expiry
 * returns  nothing
 */
export const RAISE = redisScript(`
  local at, expires = tonumber(ARGV[1]), tonumber(ARGV[2])
  local held = redis.call('GET', KEYS[1])
  if held then
    local time = redis.call('TIME')
    at = math.max(at, tonumber(held))
    expires = math.max(expires, time[1] * 1000 + math.floor(time[2] / 1000) + redis.call('PTTL', KEYS[1]))
  end
  redis.call('SET', KEYS[1], string.format('%.0f', at), 'PXAT', string.format('%.0f', expires))
`);

/**
 * KEYS     index
 * ARGV     member, expiry, clock offset
 * returns  nothing
 */
export const ENLIST = redisScript(`
  ${readClock('ARGV[3]')}
  redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2] - ARGV[3])) end
`);

/**
 * KEYS     index
 * ARGV     clock offset
 * returns  members
 */
export const LISTED = redisScript(`
  ${readClock('ARGV[1]')}
  return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
`);

/**
 * KEYS     lease, and an entry that must stand
 * ARGV     name, milliseconds, attempt that the entry begins with
 * returns  1 when it is held under this name, else 0
 */
export const LEASE = redisScript(`
  if KEYS[2] then
    local entry = redis.call('GET', KEYS[2])
    if not entry or string.sub(entry, 1, #ARGV[3] + 1) ~= ARGV[3] .. '|' then return 0 end
  end
  if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
  if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
  return 0
`);

/**
 * KEYS     lease
 * ARGV     name
 * returns  nothing
 */
export const RELEASE = redisScript(`
  if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`);
