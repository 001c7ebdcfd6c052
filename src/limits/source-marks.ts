import type { Ledger } from '../ledger/ledger.ts';

/**
 * Moments until which a source is looked at in another way. They are marks of the ledger: they only move forward, count
 * at once on every replica, and vanish when they have passed.
 */
export const suspendedMark = (prefix: string) => `suspended:${prefix}`;
export const flaggedMark = (prefix: string) => `flagged:${prefix}`;
export const slowedMark = (prefix: string) => `slowed:${prefix}`;

export async function setSourceMark(ledger: Pick<Ledger, 'raise'>, mark: string, untilMs: number): Promise<void> {
  await ledger.raise(mark, untilMs, untilMs);
}
