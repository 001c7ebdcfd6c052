import { setImmediate } from 'node:timers/promises';
import {
  type BrowserSessions,
  type Change,
  type CommitOutcome,
  type Counters,
  decodeGrantHead,
  type Holder,
  isHolder,
  judgePace,
  type Ledger,
  type PaceRule,
  type PollFacts,
  type Storage,
  StorageRefusedError,
  StorageUnavailableError,
  type Taking,
} from 'gatehouse-broker';

interface Row {
  value: string;
  endsAtMs: number;
}

/** Stands for a database that is elsewhere: several storages share it, and it may be out of reach. */
export class Database {
  readonly rows = new Map<string, Row>();
  isReachable = true;
  isReadOnly = false;
  aheadMs = 0;

  /** Its own clock, so that the clocks of those who ask decide nothing. */
  now(): number {
    return Math.floor(performance.timeOrigin + performance.now()) + this.aheadMs;
  }

  /** Each statement is atomic: nothing in `run` waits. */
  async ask<Answer>(run: (nowMs: number) => Answer): Promise<Answer> {
    await setImmediate();
    if (!this.isReachable) throw new StorageUnavailableError('the database does not answer', { cause: 'unplugged' });
    return run(this.now());
  }

  get(key: string, nowMs: number): string | undefined {
    const row = this.rows.get(key);
    return row === undefined || row.endsAtMs <= nowMs ? undefined : row.value;
  }

  keys(prefix: string, nowMs: number): string[] {
    return [...this.rows.keys()].filter((key) => key.startsWith(prefix) && this.get(key, nowMs) !== undefined);
  }
}

/** A complete storage of a host's own, by what the package exports and nothing else. */
export function thirdStorage(database: Database): Storage {
  return {
    kind: 'third',
    ledger: thirdLedger(database),
    counters: thirdCounters(database),
    browserSessions: thirdSessions(database),
    async open() {
      if (database.isReadOnly) throw new StorageRefusedError('the database is read-only: give the user INSERT');
    },
    isReady: () =>
      database
        .ask(() => true)
        .catch((error: unknown) => {
          if (error instanceof StorageUnavailableError) return false;
          throw error;
        }),
    async close() {},
  };
}

function thirdLedger(database: Database): Ledger {
  const { rows } = database;
  return {
    now: () => database.ask((nowMs) => nowMs),
    read: (keys) => database.ask((nowMs) => ({ nowMs, values: keys.map((key) => database.get(key, nowMs)) })),
    commit: (change) => database.ask((nowMs) => commit(database, change, nowMs)),
    take: (key) =>
      database.ask((nowMs) => {
        const value = database.get(key, nowMs);
        rows.delete(key);
        return value;
      }),
    poll: (id, holder, rule) => database.ask((nowMs) => poll(database, { id, holder, rule }, nowMs)),
    raise: (key, atMs, expiresAtMs) =>
      database.ask((nowMs) => {
        const isThere = database.get(key, nowMs) !== undefined;
        const value = String(Math.max(atMs, Number(database.get(key, nowMs) ?? 0)));
        const endsAtMs = Math.max(expiresAtMs, isThere ? (rows.get(key)?.endsAtMs ?? 0) : 0);
        rows.set(key, { value, endsAtMs });
      }),
    marks: (keys) => database.ask((nowMs) => keys.map((key) => Number(database.get(key, nowMs) ?? 0))),
    enlist: (index, member, expiresAtMs) =>
      database.ask(() => {
        const key = `${index} ${member}`;
        rows.set(key, { value: member, endsAtMs: Math.max(expiresAtMs, rows.get(key)?.endsAtMs ?? 0) });
      }),
    listed: (index) =>
      database.ask((nowMs) => database.keys(`${index} `, nowMs).map((key) => key.slice(index.length + 1))),
    lease: (key, name, milliseconds, whilst) =>
      database.ask((nowMs) => {
        if (whilst !== undefined && !database.get(whilst.key, nowMs)?.startsWith(`${whilst.attempt}|`)) return false;
        const held = database.get(key, nowMs);
        if (held === undefined) rows.set(key, { value: name, endsAtMs: nowMs + milliseconds });
        return held === undefined || held === name;
      }),
    release: (key, name) =>
      database.ask((nowMs) => {
        if (database.get(key, nowMs) === name) rows.delete(key);
      }),
    async *ids(suffix) {
      const end = `}:${suffix}`;
      const keys = await database.ask((nowMs) => database.keys('{', nowMs));
      for (const key of keys) if (key.endsWith(end)) yield key.slice(1, -end.length);
    },
    idsFrom: (suffix, from = '', about) =>
      database.ask((nowMs) => {
        const end = `}:${suffix}`;
        const found = database.keys('{', nowMs).filter((key) => key.endsWith(end));
        const later = found.map((key) => key.slice(1, -end.length)).filter((id) => id > from);
        const ids = later.sort().slice(0, about);
        return { ids, next: ids.length < later.length ? ids.at(-1) : undefined };
      }),
  };
}

function commit(database: Database, change: Change, nowMs: number): CommitOutcome {
  const { attempt, writes, replaces, requires = [], unless = [], removes = [], notAfterMs } = change;
  const [{ key: first }] = writes;
  const isThere = (key: string) => database.get(key, nowMs) !== undefined;
  const existing = database.get(first, nowMs);
  if (existing?.startsWith(`${attempt}|`)) return { outcome: 'won', nowMs };
  const isReplaced = replaces !== undefined && existing?.startsWith(`${replaces}|`) === true;
  if (existing !== undefined && !isReplaced) return { outcome: 'lost', nowMs, existing };
  if (replaces !== undefined && !isReplaced) return { outcome: 'refused', nowMs, because: first };
  const because = requires.find((key) => !isThere(key)) ?? unless.find(isThere);
  if (because !== undefined) return { outcome: 'refused', nowMs, because };
  if (notAfterMs !== undefined && nowMs > notAfterMs) return { outcome: 'refused', nowMs, because: 'late' };
  for (const key of [...removes, first]) database.rows.delete(key);
  for (const { key, value, expiresAtMs } of writes) {
    if (!isThere(key)) database.rows.set(key, { value, endsAtMs: expiresAtMs });
  }
  return { outcome: 'won', nowMs };
}

function poll(
  database: Database,
  { id, holder, rule }: { id: string; holder: Holder; rule: PaceRule },
  nowMs: number,
): PollFacts {
  const beside = (name: string) => database.get(`{${id}}:${name}`, nowMs);
  const grant = beside('grant');
  if (grant === undefined) return { state: 'unknown' };
  const head = decodeGrantHead(grant);
  if (!isHolder(head, holder)) return { state: 'unknown' };
  const [countedAtMs, refusedAtMs, raisedMs] = (beside('pace') ?? '').split(' ').map(Number);
  const kept =
    countedAtMs === undefined || refusedAtMs === undefined || raisedMs === undefined
      ? undefined
      : { countedAtMs, refusedAtMs, intervalMs: raisedMs };
  const [decision, spent, ended, delivered] = ['decision', 'spent', 'ended', 'delivered'].map(beside);
  if (decision !== undefined || spent !== undefined || ended !== undefined || nowMs >= head.expiresAtMs) {
    const { intervalMs } = kept ?? head;
    return { state: 'settled', nowMs, intervalMs, grant, decision, spent, ended, delivered };
  }
  const { pace, next } = judgePace(kept, head.intervalMs, nowMs, rule);
  const value = `${next.countedAtMs} ${next.refusedAtMs} ${next.intervalMs}`;
  database.rows.set(`{${id}}:pace`, { value, endsAtMs: head.keptUntilMs });
  return { state: 'pending', pace, intervalMs: next.intervalMs };
}

function thirdCounters(database: Database): Counters {
  const held = (key: string, nowMs: number) => Number(database.get(`count ${key}`, nowMs) ?? 0);
  function add(key: string, amount: number, windowSeconds: number, nowMs: number): number {
    const isThere = database.get(`count ${key}`, nowMs) !== undefined;
    const count = held(key, nowMs) + amount;
    const endsAtMs = isThere ? (database.rows.get(`count ${key}`)?.endsAtMs ?? 0) : nowMs + windowSeconds * 1000;
    database.rows.set(`count ${key}`, { value: String(count), endsAtMs });
    return count;
  }
  function takePlaces({ places, windowSeconds, holder, isLook = false }: Taking, nowMs: number) {
    if (holder !== undefined && held(holder, nowMs) > 0) return undefined;
    const index = places.findIndex(({ key, most }) => held(key, nowMs) >= most);
    if (index >= 0) {
      const endsAtMs = database.rows.get(`count ${places[index]?.key}`)?.endsAtMs ?? nowMs;
      return { index, secondsLeft: Math.max(1, Math.ceil((endsAtMs - nowMs) / 1000)) };
    }
    const keys = isLook ? [] : [...places.map(({ key }) => key), ...(holder === undefined ? [] : [holder])];
    for (const key of keys) add(key, 1, windowSeconds, nowMs);
    return undefined;
  }
  return {
    add: (key, windowSeconds, amount = 1) => database.ask((nowMs) => add(key, amount, windowSeconds, nowMs)),
    current: (key) => database.ask((nowMs) => held(key, nowMs)),
    takePlaces: (taking) => database.ask((nowMs) => takePlaces(taking, nowMs)),
    giveBackPlaces: (keys) =>
      database.ask((nowMs) => {
        for (const key of keys) if (held(key, nowMs) > 0) add(key, -1, 0, nowMs);
      }),
  };
}

function thirdSessions(database: Database): BrowserSessions {
  const keyOf = (key: string) => `browser session ${key}`;
  return {
    get: (key) => database.ask((nowMs) => database.get(keyOf(key), nowMs)),
    set: (key, text, lifeMs) =>
      database.ask((nowMs) => void database.rows.set(keyOf(key), { value: text, endsAtMs: nowMs + lifeMs })),
    destroy: (key) => database.ask(() => void database.rows.delete(keyOf(key))),
  };
}
