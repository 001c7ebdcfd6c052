import { judgePace, type Pace } from '../../src/grants/redeem/polling.ts';
import { decodeGrantHead, isHolder } from '../../src/ledger/grant-head.ts';
import type {
  AttemptAt,
  Change,
  CommitOutcome,
  Holder,
  Ledger,
  PaceRule,
  PollFacts,
  Snapshot,
} from '../../src/ledger/ledger.ts';

interface Kept {
  value: string;
  expiresAtMs: number;
}

/**
 * The ledger's contract written down as plainly as it can be: a map, one step a verb, time that stands until it is moved.
 * It is what the drivers are compared with, so it is never made faster.
 */
export class ModelLedger implements Ledger {
  nowMs: number;
  /** Grows with every change, so that who waits for one can tell. */
  version = 0;
  protected readonly entries = new Map<string, Kept>();
  protected readonly paces = new Map<string, Pace>();
  readonly #indexes = new Map<string, Map<string, number>>();

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** The same again, to be changed by itself. */
  copy(): this {
    const copied = new (this.constructor as new (nowMs: number) => this)(this.nowMs);
    for (const [key, entry] of this.entries) copied.entries.set(key, entry);
    for (const [id, pace] of this.paces) copied.paces.set(id, pace);
    for (const [index, members] of this.#indexes) copied.#indexes.set(index, new Map(members));
    return copied;
  }

  advance(milliseconds: number): void {
    this.nowMs += milliseconds;
    this.version += 1;
  }

  at(key: string): string | undefined {
    const kept = this.entries.get(key);
    return kept !== undefined && kept.expiresAtMs > this.nowMs ? kept.value : undefined;
  }

  async now(): Promise<number> {
    return this.nowMs;
  }

  async read(keys: readonly string[]): Promise<Snapshot> {
    return { nowMs: this.nowMs, values: keys.map((key) => this.at(key)) };
  }

  async commit({ attempt, writes, replaces, requires, unless, removes, notAfterMs }: Change): Promise<CommitOutcome> {
    const { nowMs } = this;
    const [{ key: first }] = writes;
    const existing = this.at(first);
    if (existing?.startsWith(`${attempt}|`)) return { outcome: 'won', nowMs };
    const isReplaced = existing !== undefined && replaces !== undefined && existing.startsWith(`${replaces}|`);
    if (existing !== undefined && !isReplaced) return { outcome: 'lost', nowMs, existing };
    const refused = (because: string): CommitOutcome => ({ outcome: 'refused', nowMs, because });
    if (replaces !== undefined && existing === undefined) return refused(first);
    const missing = requires?.find((key) => this.at(key) === undefined);
    if (missing !== undefined) return refused(missing);
    const inTheWay = unless?.find((key) => this.at(key) !== undefined);
    if (inTheWay !== undefined) return refused(inTheWay);
    if (notAfterMs !== undefined && nowMs > notAfterMs) return refused('late');
    for (const key of removes ?? []) this.entries.delete(key);
    if (isReplaced) this.entries.delete(first);
    for (const entry of writes) if (this.at(entry.key) === undefined) this.write(entry.key, entry);
    return { outcome: 'won', nowMs };
  }

  async take(key: string): Promise<string | undefined> {
    const value = this.at(key);
    if (this.entries.delete(key)) this.version += 1;
    return value;
  }

  async poll(id: string, holder: Holder, rule: PaceRule): Promise<PollFacts> {
    const { nowMs } = this;
    const beside = (suffix: string) => this.at(`{${id}}:${suffix}`);
    const grant = beside('grant');
    const head = grant === undefined ? undefined : decodeGrantHead(grant);
    if (grant === undefined || head === undefined || !isHolder(head, holder)) return { state: 'unknown' };
    const before = this.paces.get(id);
    const [decision, spent, ended] = ['decision', 'spent', 'ended'].map(beside);
    if ([decision, spent, ended].some((value) => value !== undefined) || nowMs >= head.expiresAtMs) {
      const { intervalMs } = before ?? head;
      const delivered = beside('delivered');
      return { state: 'settled', nowMs, intervalMs, grant, decision, spent, ended, delivered };
    }
    const { pace, next } = judgePace(before, head.intervalMs, nowMs, rule);
    this.keepPace(id, next);
    return { state: 'pending', pace, intervalMs: next.intervalMs };
  }

  async raise(key: string, atMs: number, expiresAtMs: number): Promise<void> {
    const value = String(Math.max(atMs, Number(this.at(key) ?? 0)));
    this.write(key, { value, expiresAtMs: Math.max(expiresAtMs, this.entries.get(key)?.expiresAtMs ?? 0) });
  }

  async marks(keys: readonly string[]): Promise<number[]> {
    return keys.map((key) => Number(this.at(key) ?? 0));
  }

  async enlist(index: string, member: string, expiresAtMs: number): Promise<void> {
    const members = this.#indexes.get(index) ?? new Map<string, number>();
    members.set(member, Math.max(expiresAtMs, members.get(member) ?? 0));
    this.#indexes.set(index, members);
    this.version += 1;
  }

  async listed(index: string): Promise<string[]> {
    const members = this.#indexes.get(index) ?? new Map<string, number>();
    return [...members].filter(([, endsAtMs]) => endsAtMs > this.nowMs).map(([member]) => member);
  }

  async lease(key: string, name: string, milliseconds: number, whilst?: AttemptAt): Promise<boolean> {
    if (whilst !== undefined && !this.at(whilst.key)?.startsWith(`${whilst.attempt}|`)) return false;
    const held = this.at(key);
    if (held !== undefined) return held === name;
    this.write(key, { value: name, expiresAtMs: this.nowMs + milliseconds });
    return true;
  }

  async release(key: string, name: string): Promise<void> {
    if (this.at(key) === name) await this.take(key);
  }

  ids(): AsyncIterable<string> {
    throw new Error('listing is not modelled');
  }

  async idsFrom(): Promise<undefined> {
    throw new Error('listing is not modelled');
  }

  /** What stands there: by key, the attempt that wrote it. What follows an attempt is what its writer knew. */
  standing(): string[] {
    const entries = [...this.entries.keys()].map((key) => [key, this.at(key)] as const);
    const values = entries.filter(([, value]) => value !== undefined).map(([key, value]) => `${key}=${short(value)}`);
    const paces = [...this.paces].map(
      ([id, pace]) => `${id}~${pace.countedAtMs},${pace.refusedAtMs},${pace.intervalMs}`,
    );
    const members = [...this.#indexes].map(([index, all]) => `${index}:${[...all.keys()].toSorted().join()}`);
    return [...values, ...paces, ...members].toSorted();
  }

  protected keepPace(id: string, pace: Pace): void {
    this.paces.set(id, pace);
    this.version += 1;
  }

  protected write(key: string, entry: Kept): void {
    this.entries.set(key, { value: entry.value, expiresAtMs: entry.expiresAtMs });
    this.version += 1;
  }
}

/** A value up to its attempt; seals differ from run to run. */
export function short(value: string | undefined): string {
  const bar = value?.indexOf('|') ?? -1;
  return value === undefined ? '-' : bar >= 0 ? value.slice(0, bar) : value.length > 40 ? 'sealed' : value;
}
