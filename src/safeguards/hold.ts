import type { Safeguards } from '../clients/registered-client.ts';

/** Until when an approval waits, so that a second thought can still take it back; `undefined` where nothing waits. */
export function heldUntilMs(
  { holdSeconds }: Pick<Safeguards, 'holdSeconds'>,
  approvedAtMs: number,
): number | undefined {
  return holdSeconds === 0 ? undefined : approvedAtMs + holdSeconds * 1000;
}
