import type { Counters } from '../../limits/counters.ts';
import { ExpiringMap } from './expiring-map.ts';

/**
 * Counters of one process, on the storage's own clock. When there is no room for another counter nothing is pushed out:
 * a flood of addresses must not make anybody's failures forgotten.
 */
export function memoryCounters(clock: () => number, maxEntries: number): Counters {
  const counts = new ExpiringMap<{ count: number; readonly expiresAtMs: number }>(maxEntries);

  function add(key: string, windowSeconds: number, amount: number, nowMs: number): number {
    const held = counts.get(key, nowMs);
    if (held !== undefined) {
      held.count += amount;
      return held.count;
    }
    counts.set(key, { count: amount, expiresAtMs: nowMs + windowSeconds * 1000 }, nowMs);
    return amount;
  }

  return {
    add: async (key, windowSeconds, amount = 1) => add(key, windowSeconds, amount, clock()),
    current: async (key) => counts.get(key, clock())?.count ?? 0,
    async takePlaces({ places, windowSeconds, holder, isLook = false }) {
      const nowMs = clock();
      if (holder !== undefined && counts.get(holder, nowMs) !== undefined) return undefined;
      for (const [index, { key, most }] of places.entries()) {
        const { count = 0, expiresAtMs = nowMs } = counts.get(key, nowMs) ?? {};
        if (count >= most) return { index, secondsLeft: Math.max(1, Math.ceil((expiresAtMs - nowMs) / 1000)) };
      }
      if (isLook) return undefined;
      const keys = [...places.map(({ key }) => key), ...(holder === undefined ? [] : [holder])];
      counts.makeRoom(keys.length, nowMs);
      for (const key of keys) add(key, windowSeconds, 1, nowMs);
      return undefined;
    },
    async giveBackPlaces(keys) {
      const nowMs = clock();
      for (const key of keys) {
        const held = counts.get(key, nowMs);
        if (held !== undefined && held.count > 0) held.count -= 1;
      }
    },
  };
}
