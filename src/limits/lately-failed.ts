import { createHash } from 'node:crypto';
import { sourcePrefixes } from '../network/source-prefixes.ts';

/** What this process itself remembers of failed client authentications; the count that decides is the storage's. */
export interface LatelyFailed {
  note(name: string, address: string): void;
  /** Whether somebody near this address failed to be this client here. May say so of others too, never the reverse. */
  has(name: string, address: string): boolean;
}

const SLOTS = 4096;

/** A fixed number of moments, so that a flood of names or addresses makes nothing forgotten. */
export function createLatelyFailed(clock: () => number, windowMs: number): LatelyFailed {
  const failedAtMs = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY);
  const slotOf = (name: string, address: string) =>
    createHash('sha256')
      .update(`${sourcePrefixes(address).wider} ${name}`)
      .digest()
      .readUInt16BE() % SLOTS;

  return {
    note(name, address) {
      failedAtMs[slotOf(name, address)] = clock();
    },
    has: (name, address) => clock() - (failedAtMs[slotOf(name, address)] as number) <= windowMs,
  };
}
