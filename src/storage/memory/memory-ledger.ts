import { judgePace, type Pace } from '../../grants/redeem/polling.ts';
import { decodeGrantHead, type GrantHead, isHolder } from '../../ledger/grant-head.ts';
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
import { ExpiringMap } from './expiring-map.ts';

interface StoredEntry {
  value: string;
  expiresAtMs: number;
  /** Of a grant only: its head, read once, and the pace of its polls, which thus vanishes with it. */
  head?: GrantHead;
  pace?: Pace;
  /** Of a grant only: no other entry was written beside it, so a poll need not look for a decision, an end or a redemption. */
  isAlone?: boolean;
}

interface StoredIndex {
  members: Map<string, number>;
  expiresAtMs: number;
}

/** The ledger of one process. A verb is atomic because nothing in it waits. */
export class MemoryLedger implements Ledger {
  readonly #clock: () => number;
  readonly #entries: ExpiringMap<StoredEntry>;
  readonly #indexes: ExpiringMap<StoredIndex>;

  constructor(clock: () => number, maxEntries: number) {
    this.#clock = clock;
    this.#entries = new ExpiringMap(maxEntries);
    this.#indexes = new ExpiringMap(maxEntries);
  }

  async now(): Promise<number> {
    return this.#clock();
  }

  async read(keys: readonly string[]): Promise<Snapshot> {
    const nowMs = this.#clock();
    return { nowMs, values: keys.map((key) => this.#entries.get(key, nowMs)?.value) };
  }

  async commit(change: Change): Promise<CommitOutcome> {
    const nowMs = this.#clock();
    const existing = this.#entries.get(change.writes[0].key, nowMs)?.value;
    const { replaces } = change;
    if (existing !== undefined) {
      if (existing.startsWith(`${change.attempt}|`)) return { outcome: 'won', nowMs };
      if (replaces === undefined || !existing.startsWith(`${replaces}|`)) return { outcome: 'lost', nowMs, existing };
    }
    const because =
      (existing === undefined && replaces !== undefined ? change.writes[0].key : undefined) ??
      change.requires?.find((key) => this.#entries.get(key, nowMs) === undefined) ??
      change.unless?.find((key) => this.#entries.get(key, nowMs) !== undefined) ??
      (change.notAfterMs !== undefined && nowMs > change.notAfterMs ? 'late' : undefined);
    if (because !== undefined) {
      return { outcome: 'refused', nowMs, because };
    }
    this.#entries.makeRoom(change.writes.length - (replaces === undefined ? 0 : 1), nowMs);
    for (const key of change.removes ?? []) {
      this.#entries.delete(key);
    }
    if (replaces !== undefined) this.#entries.delete(change.writes[0].key);
    for (const { key, value, expiresAtMs } of change.writes) {
      if (this.#entries.get(key, nowMs) === undefined) {
        const grant = key.startsWith('{') ? this.#entries.get(grantEntryBeside(key), nowMs) : undefined;
        if (grant !== undefined) grant.isAlone = false;
        this.#entries.set(key, { value, expiresAtMs, isAlone: true }, nowMs);
      }
    }
    return { outcome: 'won', nowMs };
  }

  async take(key: string): Promise<string | undefined> {
    const entry = this.#entries.get(key, this.#clock());
    this.#entries.delete(key);
    return entry?.value;
  }

  async poll(id: string, holder: Holder, rule: PaceRule): Promise<PollFacts> {
    const nowMs = this.#clock();
    const grant = this.#entries.get(`{${id}}:grant`, nowMs);
    if (grant === undefined) {
      return { state: 'unknown' };
    }
    grant.head ??= decodeGrantHead(grant.value);
    if (!isHolder(grant.head, holder)) {
      return { state: 'unknown' };
    }
    const beside = (suffix: string) => this.#entries.get(`{${id}}:${suffix}`, nowMs)?.value;
    const isAlone = grant.isAlone === true;
    const decision = isAlone ? undefined : beside('decision');
    const spent = isAlone ? undefined : beside('spent');
    const ended = isAlone ? undefined : beside('ended');
    if (decision !== undefined || spent !== undefined || ended !== undefined || nowMs >= grant.head.expiresAtMs) {
      const { intervalMs } = grant.pace ?? grant.head;
      return {
        state: 'settled',
        nowMs,
        intervalMs,
        grant: grant.value,
        decision,
        spent,
        ended,
        delivered: beside('delivered'),
      };
    }
    const { pace, next } = judgePace(grant.pace, grant.head.intervalMs, nowMs, rule);
    if (grant.pace === undefined) grant.pace = next;
    else keepPace(grant.pace, next);
    return { state: 'pending', pace, intervalMs: next.intervalMs };
  }

  async raise(key: string, atMs: number, expiresAtMs: number): Promise<void> {
    const nowMs = this.#clock();
    const mark = this.#entries.get(key, nowMs);
    const value = String(Math.max(atMs, Number(mark?.value ?? 0)));
    this.#entries.set(key, { value, expiresAtMs: Math.max(expiresAtMs, mark?.expiresAtMs ?? 0) }, nowMs);
  }

  async marks(keys: readonly string[]): Promise<number[]> {
    const nowMs = this.#clock();
    return keys.map((key) => Number(this.#entries.get(key, nowMs)?.value ?? 0));
  }

  async enlist(index: string, member: string, expiresAtMs: number): Promise<void> {
    const nowMs = this.#clock();
    const members = this.#indexes.get(index, nowMs)?.members ?? new Map<string, number>();
    members.set(member, Math.max(expiresAtMs, members.get(member) ?? 0));
    let lastEndsAtMs = 0;
    for (const [each, endsAtMs] of members) {
      if (endsAtMs <= nowMs) {
        members.delete(each);
      }
      lastEndsAtMs = Math.max(lastEndsAtMs, endsAtMs);
    }
    this.#indexes.set(index, { members, expiresAtMs: lastEndsAtMs }, nowMs);
  }

  async listed(index: string): Promise<string[]> {
    const nowMs = this.#clock();
    const members = this.#indexes.get(index, nowMs)?.members ?? new Map<string, number>();
    return [...members].filter(([, endsAtMs]) => endsAtMs > nowMs).map(([member]) => member);
  }

  async lease(key: string, name: string, milliseconds: number, whilst?: AttemptAt): Promise<boolean> {
    const nowMs = this.#clock();
    if (whilst !== undefined && !this.#entries.get(whilst.key, nowMs)?.value.startsWith(`${whilst.attempt}|`)) {
      return false;
    }
    const held = this.#entries.get(key, nowMs);
    if (held !== undefined) {
      return held.value === name;
    }
    this.#entries.set(key, { value: name, expiresAtMs: nowMs + milliseconds }, nowMs);
    return true;
  }

  async release(key: string, name: string): Promise<void> {
    if (this.#entries.get(key, this.#clock())?.value === name) {
      this.#entries.delete(key);
    }
  }

  async *ids(suffix: string): AsyncIterable<string> {
    const end = `}:${suffix}`;
    for (const key of this.#entries.keys(this.#clock())) {
      if (key.startsWith('{') && key.endsWith(end)) {
        yield key.slice(1, -end.length);
      }
    }
  }

  async idsFrom(suffix: string, from: string | undefined, about: number): Promise<IdsPiece | undefined> {
    const later: string[] = [];
    for await (const id of this.ids(suffix)) if (from === undefined || id > from) later.push(id);
    const ids = later.sort().slice(0, about);
    return { ids, next: ids.length < later.length ? ids.at(-1) : undefined };
  }

  /** What is held, for metrics and tests. */
  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
    this.#indexes.clear();
  }
}

/** In place: a new object that an old entry points at would be copied twice by the collector, at every poll. */
function keepPace(pace: Pace, next: Pace): void {
  pace.countedAtMs = next.countedAtMs;
  pace.refusedAtMs = next.refusedAtMs;
  pace.intervalMs = next.intervalMs;
}

/** `{id}:grant` for any entry of that id. */
function grantEntryBeside(key: string): string {
  return `${key.slice(0, key.indexOf('}') + 1)}:grant`;
}
