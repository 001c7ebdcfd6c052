import type { Ledger } from '../grants/ledger.ts';

/** Moments until which a source is treated in another way, kept as marks of the ledger: they only move forward. */
export const suspendedMark = (prefix: string) => `suspended:${prefix}`;
export const slowedMark = (prefix: string) => `slowed:${prefix}`;

export async function setSourceMark(ledger: Pick<Ledger, 'raise'>, mark: string, untilMs: number): Promise<void> {
  await ledger.raise(mark, untilMs, untilMs);
}
