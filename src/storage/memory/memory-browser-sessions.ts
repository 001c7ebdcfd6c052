import { setImmediate } from 'node:timers/promises';
import type { BrowserSessions } from '../storage.ts';
import { ExpiringMap } from './expiring-map.ts';

/**
 * Browser sessions of one process; like the ledger it is bounded, and refuses rather than forgets. Answers come in a
 * later turn, as those of a storage elsewhere do: requests that arrive together then take the same order in both.
 */
export function memoryBrowserSessions(clock: () => number, maxEntries: number): BrowserSessions {
  const sessions = new ExpiringMap<{ text: string; expiresAtMs: number }>(maxEntries);
  return {
    async get(key) {
      const text = sessions.get(key, clock())?.text;
      await setImmediate();
      return text;
    },
    async set(key, text, lifeMs) {
      const nowMs = clock();
      sessions.set(key, { text, expiresAtMs: nowMs + lifeMs }, nowMs);
      await setImmediate();
    },
    async destroy(key) {
      sessions.delete(key);
      await setImmediate();
    },
  };
}
