import assert from 'node:assert/strict';
import { encodeGrantHead } from '../../ledger/grant-head.ts';
import type { CommitOutcome, Holder } from '../../ledger/ledger.ts';
import type { Storage } from '../storage.ts';

/**
 * The two functions that the suites need of a test runner: vitest's, node:test's or mocha's.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test';
 * import type { TestRunner } from 'gatehouse-broker/contract';
 *
 * const runner: TestRunner = { describe, it };
 * ```
 */
export interface TestRunner {
  describe: (title: string, body: () => void) => unknown;
  it: (title: string, body: () => Promise<void>) => unknown;
}

/**
 * @example
 * ```ts
 * import { memoryStorage } from 'gatehouse-broker';
 * import type { StorageUnderTest } from 'gatehouse-broker/contract';
 *
 * let aheadMs = 0;
 * const storage = memoryStorage({ clock: () => Math.floor(performance.timeOrigin + performance.now()) + aheadMs });
 * const under: StorageUnderTest = {
 *   storage,
 *   replica: storage,
 *   advance: async (milliseconds) => {
 *     aheadMs += milliseconds;
 *   },
 *   outage: undefined,
 *   close: () => storage.close(),
 * };
 * ```
 */
export interface StorageUnderTest {
  /** Opened, and empty. */
  storage: Storage;
  /** What another process has that keeps its data in the same place. A storage of one process: the same object. */
  replica: Storage;
  /** Moves the clock that judges: what has expired by then is gone. */
  advance: (milliseconds: number) => Promise<void>;
  /** How a test cuts `storage` off from its data. `undefined` for a storage inside the process, which cannot be. */
  outage: Outage | undefined;
  close: () => Promise<void>;
}

/**
 * @example
 * ```ts
 * import type { Outage } from 'gatehouse-broker/contract';
 *
 * // For a database behind a proxy of the test's own.
 * const outageOf = (proxy: { pause(): Promise<void>; resume(): Promise<void> }): Outage => ({
 *   begin: () => proxy.pause(),
 *   end: () => proxy.resume(),
 * });
 * ```
 */
export interface Outage {
  /** From now on nothing that is asked reaches the data, or no answer comes back. */
  begin(): Promise<void>;
  /** As before. Nothing was lost meanwhile, and nobody opens the storage again. */
  end(): Promise<void>;
}

/**
 * @example
 * ```ts
 * import { memoryStorage } from 'gatehouse-broker';
 * import type { CreateStorage } from 'gatehouse-broker/contract';
 *
 * const create: CreateStorage = async () => {
 *   let aheadMs = 0;
 *   const storage = memoryStorage({ clock: () => Math.floor(performance.timeOrigin + performance.now()) + aheadMs });
 *   const advance = async (milliseconds: number) => {
 *     aheadMs += milliseconds;
 *   };
 *   return { storage, replica: storage, advance, outage: undefined, close: () => storage.close() };
 * };
 * ```
 */
export type CreateStorage = () => Promise<StorageUnderTest>;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

let drawn = 0;

/** A fresh name that cannot be mistaken for another. */
export function fresh(what: string): string {
  drawn += 1;
  return `${what}${drawn}`;
}

/** Gives a test a storage of its own, and closes it whatever happened. */
export function withStorage(create: CreateStorage, body: (under: StorageUnderTest) => Promise<void>) {
  return async (): Promise<void> => {
    const under = await create();
    try {
      await body(under);
    } finally {
      await under.close();
    }
  };
}

export const CLIENT: Holder = { clientId: 'tv app|1', challenge: '', jkt: '' };

/** Starts a grant as the domain would, as far as a driver can see it. */
export async function startGrant(
  { storage }: Pick<StorageUnderTest, 'storage'>,
  more: Partial<Holder> & { intervalMs?: number; lifetimeMs?: number; keptMs?: number } = {},
): Promise<{ id: string; value: string; expiresAtMs: number; keptUntilMs: number }> {
  const nowMs = await storage.ledger.now();
  const id = fresh('grant');
  const attempt = fresh('start');
  const expiresAtMs = nowMs + (more.lifetimeMs ?? 10 * MINUTE);
  const keptUntilMs = nowMs + (more.keptMs ?? 20 * MINUTE);
  const { clientId, challenge, jkt } = { ...CLIENT, ...more };
  const { intervalMs = 5 * SECOND } = more;
  const value = `${encodeGrantHead({ attempt, clientId, challenge, jkt, intervalMs, expiresAtMs, keptUntilMs })}|rest`;
  const written = await storage.ledger.commit({
    attempt,
    writes: [{ key: `{${id}}:grant`, value, expiresAtMs: keptUntilMs }],
  });
  assert.equal(written.outcome, 'won');
  return { id, value, expiresAtMs, keptUntilMs };
}

/** `count` callers at once. */
export const many = <T>(count: number, each: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => each(index)));

/** The index of the one winner; fails unless there is exactly one. */
export function onlyWinner(outcomes: readonly CommitOutcome[]): number {
  const winners = outcomes.flatMap(({ outcome }, index) => (outcome === 'won' ? [index] : []));
  assert.equal(winners.length, 1, `expected one winner, found ${winners.length}`);
  return winners[0] as number;
}
