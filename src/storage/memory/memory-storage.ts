/**
 * The driver for one process. It keeps everything in maps with an end, and judges by its own clock. It passes the same suites as
 * Redis.
 */

import type { Storage } from '../storage.ts';
import { memoryBrowserSessions } from './memory-browser-sessions.ts';
import { memoryCounters } from './memory-counters.ts';
import { MemoryLedger } from './memory-ledger.ts';

/**
 * @example
 * ```ts
 * import { type MemoryStorageOptions, memoryStorage } from 'gatehouse-broker';
 *
 * let nowMs = Date.now();
 * const options: MemoryStorageOptions = { clock: () => nowMs };
 * const storage = memoryStorage(options);
 * nowMs += 60_000; // a minute later for whatever the storage judges
 * ```
 */
export interface MemoryStorageOptions {
  /** Milliseconds since the epoch; the only clock that judges here. */
  clock?: () => number;
  /**
   * The most that each of ledger, counters and browser sessions holds; what comes then is refused with
   * `StorageUnavailableError`. A pending grant is two entries of about half a kilobyte.
   */
  maxEntries?: number;
}

/**
 * Keeps everything in this process: for trying out, tests, and a single broker whose restart may cost sign-ins.
 *
 * @example
 * ```ts
 * import { memoryStorage } from 'gatehouse-broker';
 *
 * const storage = memoryStorage({ maxEntries: 10_000 });
 * ```
 */
export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  const { clock = Date.now, maxEntries = 500_000 } = options;
  const ledger = new MemoryLedger(clock, maxEntries);
  return {
    kind: 'memory',
    ledger,
    counters: memoryCounters(clock, maxEntries),
    browserSessions: memoryBrowserSessions(clock, maxEntries),
    async open() {},
    async isReady() {
      return true;
    },
    async close() {
      ledger.clear();
    },
  };
}
