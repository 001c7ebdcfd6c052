import { Cluster } from 'ioredis';
import type {
  AttemptAt,
  Change,
  CommitOutcome,
  Holder,
  IdsPiece,
  Ledger,
  PaceRule,
  PollFacts,
  Snapshot,
} from '../../ledger/ledger.ts';
import { ENLIST, LEASE, LISTED, RAISE, RELEASE } from './redis-changing-scripts.ts';
import type { RedisConnection } from './redis-connection.ts';
import { allIds, idsPiece } from './redis-ids.ts';
import type { RedisKeys } from './redis-keys.ts';
import { holderArgument, pollFacts, pollScript } from './redis-poll.ts';
import { type RedisScript, readClock, redisScript } from './redis-script.ts';

/** The ledger in Redis. A verb is atomic because it is one command or one script. */
export class RedisLedger implements Ledger {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clockOffsetMs: (() => number) | undefined;
  #poll: { rule: PaceRule; script: RedisScript } | undefined;

  constructor(connection: RedisConnection, keys: RedisKeys, clockOffsetMs: (() => number) | undefined) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clockOffsetMs = clockOffsetMs;
  }

  async now(): Promise<number> {
    const [seconds, microseconds] = await this.#connection.ask((client) => client.time());
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) + this.#offsetMs();
  }

  async read(keys: readonly string[]): Promise<Snapshot> {
    const reply = await this.#run(READ, keys, [String(this.#offsetMs())]);
    const [nowMs, ...values] = reply as [number, ...(string | null)[]];
    return { nowMs, values: values.map((value) => value ?? undefined) };
  }

  async commit(change: Change): Promise<CommitOutcome> {
    const { attempt, writes, requires = [], unless = [], removes = [], replaces = '', notAfterMs = '' } = change;
    const offsetMs = this.#offsetMs();
    const keys = [...writes.map(({ key }) => key), ...requires, ...unless, ...removes];
    const reply = await this.#run(COMMIT, keys, [
      attempt,
      replaces,
      String(notAfterMs),
      String(offsetMs),
      String(writes.length),
      String(requires.length),
      String(unless.length),
      ...writes.flatMap(({ value, expiresAtMs }) => [value, wholeMs(expiresAtMs - offsetMs)]),
    ]);
    const [outcome, nowMs, detail] = reply as
      | ['won', number, undefined]
      | ['lost', number, string]
      | ['refused', number, number];
    switch (outcome) {
      case 'won':
        return { outcome, nowMs };
      case 'lost':
        return { outcome, nowMs, existing: detail };
      case 'refused':
        return { outcome, nowMs, because: detail === 0 ? 'late' : (keys[detail - 1] as string) };
    }
  }

  async take(key: string): Promise<string | undefined> {
    return (await this.#connection.ask((client) => client.getdel(this.#keys.entry(key)))) ?? undefined;
  }

  poll(id: string, holder: Holder, rule: PaceRule): Promise<PollFacts> {
    const args = [holderArgument(holder), holder.jkt];
    if (this.#clockOffsetMs !== undefined) {
      args.push(String(this.#clockOffsetMs()));
    }
    return this.#connection.runWritten(
      { script: this.#pollScript(rule), keys: this.#keys.polled(id), args },
      pollFacts,
    );
  }

  async raise(key: string, atMs: number, expiresAtMs: number): Promise<void> {
    const offsetMs = this.#offsetMs();
    await this.#run(RAISE, [key], [String(atMs), wholeMs(expiresAtMs - offsetMs)]);
  }

  async marks(keys: readonly string[]): Promise<number[]> {
    if (keys.length === 0) {
      return [];
    }
    const names = keys.map((key) => this.#keys.entry(key));
    const values = await this.#connection.ask((client) =>
      // The marks of one question live on different nodes of a cluster, which has no command for that.
      client instanceof Cluster ? Promise.all(names.map((name) => client.get(name))) : client.mget(names),
    );
    return values.map((value) => Number(value ?? 0));
  }

  async enlist(index: string, member: string, expiresAtMs: number): Promise<void> {
    await this.#run(ENLIST, [index], [member, String(expiresAtMs), String(this.#offsetMs())]);
  }

  async listed(index: string): Promise<string[]> {
    return (await this.#run(LISTED, [index], [String(this.#offsetMs())])) as string[];
  }

  async lease(key: string, name: string, milliseconds: number, whilst?: AttemptAt): Promise<boolean> {
    const keys = whilst === undefined ? [key] : [key, whilst.key];
    return (await this.#run(LEASE, keys, [name, String(milliseconds), whilst?.attempt ?? ''])) === 1;
  }

  async release(key: string, name: string): Promise<void> {
    await this.#run(RELEASE, [key], [name]);
  }

  ids(suffix: string): AsyncIterable<string> {
    return allIds(this.#connection, this.#keys, suffix);
  }

  idsFrom(suffix: string, from: string | undefined, about: number): Promise<IdsPiece | undefined> {
    return idsPiece(this.#connection, this.#keys, suffix, from, about);
  }

  #run(script: RedisScript, names: readonly string[], args: readonly string[]): Promise<unknown> {
    const keys = names.map((name) => this.#keys.entry(name));
    return this.#connection.run(script, keys, args);
  }

  #offsetMs(): number {
    return this.#clockOffsetMs?.() ?? 0;
  }

  /** There is one rule in practice. */
  #pollScript(rule: PaceRule): RedisScript {
    if (this.#poll?.rule !== rule) {
      this.#poll = { rule, script: pollScript(rule) };
    }
    return this.#poll.script;
  }
}

/** Redis takes whole moments only; ends that clients and upstreams name (`exp`, `expires_in`) may have fractions. */
function wholeMs(momentMs: number): string {
  return String(Math.ceil(momentMs));
}

/**
 * KEYS     any entries of one id
 * ARGV     clock offset
 * returns  now, then each value or nil
 */
const READ = redisScript(`
  ${readClock('ARGV[1]')}
  return { now, unpack(redis.call('MGET', unpack(KEYS))) }
`);

/**
 * KEYS     writes, then requires, unless, removes
 * ARGV     attempt, attempt that is replaced ('' for none), not after ('' for never too late), clock offset, number of
 *          writes, of requires, of unless, then value and expiry of each write
 * returns  won, now · lost, now, the value that was there first · refused, now, number of the key (0: too late)
 */
const COMMIT = redisScript(`
  ${readClock('ARGV[4]')}
  local existing = redis.call('GET', KEYS[1])
  if existing then
    local function of(attempt) return string.sub(existing, 1, #attempt + 1) == attempt .. '|' end
    if of(ARGV[1]) then return { 'won', now } end
    if ARGV[2] == '' or not of(ARGV[2]) then return { 'lost', now, existing } end
  elseif ARGV[2] ~= '' then
    return { 'refused', now, 1 }
  end
  local writes = tonumber(ARGV[5])
  local required = writes + tonumber(ARGV[6])
  local excluded = required + tonumber(ARGV[7])
  for i = writes + 1, required do
    if redis.call('EXISTS', KEYS[i]) == 0 then return { 'refused', now, i } end
  end
  for i = required + 1, excluded do
    if redis.call('EXISTS', KEYS[i]) == 1 then return { 'refused', now, i } end
  end
  if ARGV[3] ~= '' and now > tonumber(ARGV[3]) then return { 'refused', now, 0 } end
  redis.call('SET', KEYS[1], ARGV[8], 'PXAT', ARGV[9])
  for i = 2, writes do
    redis.call('SET', KEYS[i], ARGV[6 + 2 * i], 'NX', 'PXAT', ARGV[7 + 2 * i])
  end
  for i = excluded + 1, #KEYS do
    redis.call('DEL', KEYS[i])
  end
  return { 'won', now }
`);
