import type { Counters } from '../limits/counters.ts';
import { ExpiringMap } from './expiring-map.ts';

/**
 * Counters of one process, on the storage's own clock. When there is no room for another counter nothing is pushed out:
 * a flood of addresses must not make anybody's failures forgotten.
 */
export function memoryCounters(clock: () => number, maxEntries: number): Counters {
  const counts = new ExpiringMap<{ count: number; readonly expiresAtMs: number }>(maxEntries);
  return {
    async add(key, windowSeconds, amount = 1) {
      const nowMs = clock();
      const held = counts.get(key, nowMs);
      if (held !== undefined) {
        held.count += amount;
        return held.count;
      }
      counts.set(key, { count: amount, expiresAtMs: nowMs + windowSeconds * 1000 }, nowMs);
      return amount;
    },
    async current(key) {
      return counts.get(key, clock())?.count ?? 0;
    },
  };
}
