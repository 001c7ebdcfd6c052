/**
 * The storage contract of grants and device sessions. A driver keeps bytes and does each verb as one atomic step;
 * what the bytes mean, and every rule about them, lives in `grants/` and `device-sessions/`.
 *
 * Nothing is read, changed and written back: an entry is written at most once and the state of a grant is which of
 * its entries exist. The few things that change (pace, before-marks, indexes) have a verb of their own each.
 * Keys are given without the driver's prefix; all that have `{id}` in them share a node of a cluster.
 * Time is the storage's own (Redis `TIME`), so that processes whose clocks differ judge the same.
 *
 * @example
 * ```ts
 * import { type Ledger, memoryStorage } from 'gatehouse-broker';
 *
 * async function firstToWrite(ledger: Ledger, key: string, attempt: string): Promise<boolean> {
 *   const expiresAtMs = (await ledger.now()) + 60_000;
 *   const written = await ledger.commit({ attempt, writes: [{ key, value: `${attempt}|`, expiresAtMs }] });
 *   return written.outcome === 'won';
 * }
 *
 * console.log(await firstToWrite(memoryStorage().ledger, 'once:1', 'a1')); // true
 * ```
 */
export interface Ledger {
  /** Milliseconds since the epoch by the clock that judges expiry. */
  now(): Promise<number>;

  /**
   * Reads entries of one `{id}` together, with the moment at which they were read.
   * A caller beside a running `commit` sees all of its entries or none.
   */
  read(keys: readonly string[]): Promise<Snapshot>;

  /**
   * Writes entries that must stand or fall together. The first of them decides: of any number of callers who commit
   * to the same first key exactly one wins, and the others are told what the winner wrote. A caller whose reply was
   * lost, and whose driver sent the command again, finds its own attempt there and has won.
   *
   * With `replaces` the first entry takes the place of the value that begins with that attempt, and of no other: of any
   * number of callers who replace the same value exactly one wins (decision 0013).
   */
  commit(change: Change): Promise<CommitOutcome>;

  /** Reads an entry and removes it: of two callers one gets it, the other `undefined`. */
  take(key: string): Promise<string | undefined>;

  /**
   * Judges one poll (RFC 8628 §3.5). While the grant is pending the pace is moved in the same step, so polls that
   * arrive together are counted one by one; for a caller that is not the grant's holder nothing moves.
   */
  poll(id: string, holder: Holder, rule: PaceRule): Promise<PollFacts>;

  /** Moves a mark forward to `atMs`; a mark never goes back, whatever the order of two callers. */
  raise(key: string, atMs: number, expiresAtMs: number): Promise<void>;

  /** The moments of marks, 0 where there is none. The keys may live anywhere. */
  marks(keys: readonly string[]): Promise<number[]>;

  /** Adds a member to an index until `expiresAtMs`, and drops the members whose time has passed. */
  enlist(index: string, member: string, expiresAtMs: number): Promise<void>;

  /** The members of an index whose time has not passed. */
  listed(index: string): Promise<string[]>;

  /**
   * Takes a lease, the one kind of entry that may lapse: `true` for one caller, `false` for the others until it is
   * given back or `milliseconds` have passed. Taking it again under the same name is `true`.
   *
   * @param whilst an entry of the same `{id}` whose value must still begin with this attempt: what a caller has read is
   *   then known to stand, without a second look
   */
  lease(key: string, name: string, milliseconds: number, whilst?: AttemptAt): Promise<boolean>;

  /** Gives a lease back, if it is still held under this name. */
  release(key: string, name: string): Promise<void>;

  /**
   * The ids of all grants that have the entry `{id}:<suffix>`, each once, in no order; for administrators. All, or an error.
   */
  ids(suffix: string): AsyncIterable<string>;

  /**
   * Some of them, in one step that takes no longer where there are many: who follows `next` to its end, at whichever
   * process, is told every id that was there all the while. One may come twice, and a piece may be empty.
   *
   * @param from where the last piece ended; the beginning without it
   * @param about how many to look at
   * @returns `undefined` where `from` cannot have been given out, or leads no further: the storage was moved or restarted
   */
  idsFrom(suffix: string, from: string | undefined, about: number): Promise<IdsPiece | undefined>;
}

/**
 * @example
 * ```ts
 * import { type IdsPiece, memoryStorage } from 'gatehouse-broker';
 *
 * let piece: IdsPiece | undefined;
 * do {
 *   piece = await memoryStorage().ledger.idsFrom('session', piece?.next, 100);
 * } while (piece?.next !== undefined);
 * ```
 */
export interface IdsPiece {
  ids: string[];
  /** `undefined` at the end. */
  next: string | undefined;
}

/**
 * @example
 * ```ts
 * import type { Snapshot } from 'gatehouse-broker';
 *
 * const nothingThere: Snapshot = { nowMs: Date.now(), values: [undefined] };
 * ```
 */
export interface Snapshot {
  nowMs: number;
  /** In the order of the keys. */
  values: (string | undefined)[];
}

/**
 * @example
 * ```ts
 * import type { Entry } from 'gatehouse-broker';
 *
 * const mark: Entry = { key: '{id}:ended', value: 'a1|', expiresAtMs: Date.now() + 60_000 };
 * ```
 */
export interface Entry {
  key: string;
  /** Begins with `<attempt>|` where this entry may be the first of a commit. */
  value: string;
  /** The absolute moment at which it vanishes; never extended. */
  expiresAtMs: number;
}

/**
 * A value as it was found: where it stands, and the attempt that it begins with.
 *
 * @example
 * ```ts
 * import { type AttemptAt, memoryStorage } from 'gatehouse-broker';
 *
 * const seen: AttemptAt = { key: '{id}:refresh', attempt: 'a1' };
 * const isMine = await memoryStorage().ledger.lease('{id}:refreshing', 'me', 15_000, seen);
 * ```
 */
export interface AttemptAt {
  key: string;
  attempt: string;
}

/**
 * @example
 * ```ts
 * import { type Change, memoryStorage } from 'gatehouse-broker';
 *
 * const denial: Change = {
 *   attempt: 'a1',
 *   writes: [{ key: '{id}:decision', value: 'a1|denied', expiresAtMs: Date.now() + 60_000 }],
 *   requires: ['{id}:grant'],
 *   unless: ['{id}:ended'],
 * };
 * await memoryStorage().ledger.commit(denial);
 * ```
 */
export interface Change {
  /** The caller's random id of this attempt, with which the first entry's value begins. */
  attempt: string;
  /** Written together; all share one `{id}`, unless there is just one. Those after the first are kept if they exist. */
  writes: readonly [Entry, ...Entry[]];
  /** The attempt with which the value begins that the first entry replaces; refused where nothing stands there. */
  replaces?: string | undefined;
  /** Refused unless all of these exist. */
  requires?: readonly string[];
  /** Refused if one of these exists. */
  unless?: readonly string[];
  /** Removed in the same step: what the first entry makes worthless. */
  removes?: readonly string[];
  /** Refused when the storage's clock is past this: the grant's end, or the moment after which the caller has given up. */
  notAfterMs?: number;
}

/**
 * @example
 * ```ts
 * import type { CommitOutcome } from 'gatehouse-broker';
 *
 * function whatStands(mine: string, written: CommitOutcome): string | undefined {
 *   return written.outcome === 'won' ? mine : written.outcome === 'lost' ? written.existing : undefined;
 * }
 * ```
 */
export type CommitOutcome =
  | { outcome: 'won'; nowMs: number }
  /** Somebody else wrote the first entry before; `existing` is its value. */
  | { outcome: 'lost'; nowMs: number; existing: string }
  /** `because` is the key that is missing or that should not be there, or `late`. */
  | { outcome: 'refused'; nowMs: number; because: string };

/**
 * What a poller shows to be the holder of a grant; '' where it shows none.
 *
 * @example
 * ```ts
 * import type { Holder } from 'gatehouse-broker';
 *
 * const unbound: Holder = { clientId: 'build-cli', challenge: '', jkt: '' };
 * ```
 */
export interface Holder {
  clientId: string;
  /** The S256 challenge of the PKCE verifier that came with the poll. */
  challenge: string;
  /** The thumbprint of the DPoP key that came with the poll. */
  jkt: string;
}

/**
 * The constants of the polling rule; the rule itself is `judgePace`. All in milliseconds.
 *
 * @example
 * ```ts
 * import type { PaceRule } from 'gatehouse-broker';
 *
 * const rule: PaceRule = { sameMs: 1000, toleranceMs: 500, stepMs: 5000, ceilingMs: 60_000 };
 * ```
 */
export interface PaceRule {
  /** A poll this close after a counted or refused one belongs to it. */
  sameMs: number;
  /** How much too early a poll may be. */
  toleranceMs: number;
  /** What a too early poll adds to the interval. */
  stepMs: number;
  /** The most that the interval grows to. */
  ceilingMs: number;
}

/**
 * @example
 * ```ts
 * import type { PollFacts } from 'gatehouse-broker';
 *
 * const inTime: PollFacts = { state: 'pending', pace: 'in_time', intervalMs: 5000 };
 * ```
 */
export type PollFacts =
  /** No such grant, or the caller is not its holder: told apart nowhere, and nothing was touched. */
  | { state: 'unknown' }
  /** Undecided and in time. `too_early` is also the repeated answer to a poll right after a refused one. */
  | { state: 'pending'; pace: 'in_time' | 'too_early'; intervalMs: number }
  /** Decided, ended, spent or expired: the entries as they are, for the domain to judge. */
  | {
      state: 'settled';
      nowMs: number;
      /** As the polls have raised it. */
      intervalMs: number;
      grant: string;
      decision?: string | undefined;
      spent?: string | undefined;
      ended?: string | undefined;
      delivered?: string | undefined;
    };

/**
 * The storage did not answer in time, or is full; nothing can be said about what it did.
 *
 * @example
 * ```ts
 * import { StorageUnavailableError } from 'gatehouse-broker';
 *
 * async function ask<Row>(query: () => Promise<Row>): Promise<Row> {
 *   try {
 *     return await query();
 *   } catch (cause) {
 *     throw new StorageUnavailableError('the database does not answer', { cause });
 *   }
 * }
 * ```
 */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}
