import { memoryBrowserSessions } from './memory-browser-sessions.ts';
import { memoryCounters } from './memory-counters.ts';
import { MemoryLedger } from './memory-ledger.ts';
import type { Storage } from './storage.ts';

export interface MemoryStorageOptions {
  /** Milliseconds since the epoch; the only clock that judges here. */
  clock?: () => number;
  /**
   * The most that each of ledger, counters and browser sessions holds; what comes then is refused with
   * `StorageUnavailableError`. A pending grant is two entries of about half a kilobyte.
   */
  maxEntries?: number;
}

/** Keeps everything in this process: for trying out, tests, and a single broker whose restart may cost sign-ins. */
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
