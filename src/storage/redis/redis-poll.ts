import type { Holder, PaceRule, PollFacts } from '../../ledger/ledger.ts';
import { type RedisScript, readClock, redisScript } from './redis-script.ts';

/**
 * The script of a poll: `judgePace` once more, in Lua, because pace is judged and moved in one step. A property test
 * holds the two against each other. The rule is part of the text, so a poll need not bring it along.
 *
 *     KEYS     grant, pace, decision, spent, ended, delivered
 *     ARGV     client|challenge, jkt, clock offset (may be left out)
 *     pace     the moment of the last counted poll; once one came too early: counted|refused|interval. A bare number
 *              is kept by Redis in the entry itself, which saves every pending grant 32 bytes
 *     returns  nil                   no such grant, or not its holder
 *              interval or -interval pending and in time, or pending and too early
 *              array                 now and the interval, then grant, decision, spent, ended, delivered
 */
export function pollScript(rule: PaceRule, clock = readClock('(ARGV[3] or 0)')): RedisScript {
  return redisScript(`
    local entries = redis.call('MGET', unpack(KEYS))
    local grant = entries[1]
    if not grant then return false end
    local holder, jkt, interval, expires, kept_for =
      string.match(grant, '^[^|]*|([^|]*|[^|]*)|([^|]*)|(%d+)|(%d+)|(%d+)')
    if holder ~= ARGV[1] or (jkt ~= '' and jkt ~= ARGV[2]) then return false end

    ${clock}
    if entries[3] or entries[4] or entries[5] or now >= tonumber(expires) then
      local raised = entries[2] and string.match(entries[2], '|(%d+)$')
      return { now, tonumber(raised or interval), grant, entries[3], entries[4], entries[5], entries[6] }
    end

    local function keep(counted, refused, current)
      local pace = string.format('%.0f', counted)
      if refused > 0 then pace = string.format('%s|%.0f|%.0f', pace, refused, current) end
      local kept = redis.pcall('SET', KEYS[2], pace, 'PXAT', expires + kept_for - (ARGV[3] or 0))
      -- A full Redis must not make a pending poll fail: its pace is judged then, and not moved.
      if kept.err and not string.find(kept.err, 'OOM', 1, true) then return kept end
      return nil
    end

    interval = tonumber(interval)
    if not entries[2] then return keep(now, 0, interval) or interval end
    local counted, refused, current = string.match(entries[2], '^(%d+)|?(%d*)|?(%d*)$')
    counted, refused, current = tonumber(counted), tonumber(refused) or 0, tonumber(current) or interval
    if now - math.max(counted, refused) < ${rule.sameMs} then
      if refused > counted then return -current end
      return current
    end
    if now - counted < current - ${rule.toleranceMs} then
      local raised = math.max(current, math.min(current + ${rule.stepMs}, ${rule.ceilingMs}))
      return keep(counted, now, raised) or -raised
    end
    return keep(now, refused, current) or current
  `);
}

/** The holder as the grant's head spells it. */
export function holderArgument(holder: Holder): string {
  return `${encodeURIComponent(holder.clientId)}|${holder.challenge}`;
}

const UNKNOWN: PollFacts = { state: 'unknown' };

export function pollFacts(reply: unknown): PollFacts {
  if (typeof reply === 'number') {
    return reply < 0
      ? { state: 'pending', pace: 'too_early', intervalMs: -reply }
      : { state: 'pending', pace: 'in_time', intervalMs: reply };
  }
  if (!Array.isArray(reply)) {
    return UNKNOWN;
  }
  const [nowMs, intervalMs, grant, ...rest] = reply as [number, number, string, ...(string | null)[]];
  const [decision, spent, ended, delivered] = rest.map((value) => value ?? undefined);
  return { state: 'settled', nowMs, intervalMs, grant, decision, spent, ended, delivered };
}
