import type { Sealing } from '../sealing/sealing.ts';
import { spentEntry } from './entry-keys.ts';

const FORMAT = 1;

/** That a grant was redeemed, as it is stored: `<attempt>|<format>|<moment>`, and that a broker wrote it. */
export function encodeSpent(sealing: Sealing, id: string, attempt: string, atMs: number): string {
  return sealing.vouch(spentEntry(id), [attempt, FORMAT, atMs].join('|'));
}

/** @throws {SealBrokenError} when no broker wrote it for this grant */
export function decodeSpent(sealing: Sealing, id: string, stored: string): { atMs: number } {
  const [, , atMs] = sealing.check(spentEntry(id), stored).split('|');
  return { atMs: Number(atMs) };
}
