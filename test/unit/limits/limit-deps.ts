import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { createNetworks } from '../../../src/network/networks.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import { LIMITS } from '../../support/samples/sample-limits.ts';

export const OFFICE = '198.51.100.9';
export const OFFICE_NETWORK = { id: 'oslo', name: 'Oslo office', cidrs: ['198.51.100.0/24'], factor: 20 };

/** A storage with a clock that tests move; it stands at the beginning of an hour, so no window ends by surprise. */
export function limitDeps(overrides: Partial<LimitSettings> = {}) {
  let nowMs = Date.UTC(2027, 0, 1, 12);
  const storage = memoryStorage({ clock: () => nowMs });
  return {
    counters: storage.counters,
    ledger: storage.ledger,
    sealing: createSealing([new Secret(Buffer.alloc(32, 7).toString('base64url'))]),
    networks: createNetworks([OFFICE_NETWORK]),
    limits: { ...LIMITS, ...overrides },
    codeLifetimesSeconds: [600],
    now: () => nowMs,
    wait: (seconds: number) => {
      nowMs += seconds * 1000;
    },
  };
}
