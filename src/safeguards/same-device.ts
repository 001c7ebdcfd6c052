import type { Safeguards } from '../clients/registered-client.ts';
import type { Grant } from '../ledger/grant.ts';
import type { RandomBytes } from '../sealing/secret.ts';
import { reverseCodeAtStart } from './reverse-code.ts';

/** 128 bits. */
const PROOF_BYTES = 16;

/**
 * What a device must bring with a poll after the approval, from what it said at its start (`confirmation`).
 *
 * - `loopback`: the proof that the browser takes to a listener on its own machine, or the digits where that fails. The
 *   listener of a phisher is on another machine, so the victim's browser never reaches it.
 * - `digits`: the reverse code.
 * - `refuse` is for the start: a phisher's device just says nothing, so what is required must be asked of every start.
 */
export function confirmationAtStart(
  { local, reverseCode }: Pick<Safeguards, 'local' | 'reverseCode'>,
  confirmation: Grant['confirmation'],
): 'none' | 'digits' | 'loopback' | 'refuse' {
  if (confirmation === 'loopback' && local !== 'off') return 'loopback';
  if (local === 'required') return confirmation === undefined ? 'refuse' : 'digits';
  const judged = reverseCodeAtStart(reverseCode, confirmation);
  return judged === 'make' ? 'digits' : judged;
}

/** Whether no device gets tokens without a proof or digits. */
export function mustBeConfirmed({ local, reverseCode }: Pick<Safeguards, 'local' | 'reverseCode'>): boolean {
  return local === 'required' || reverseCode === 'required';
}

export function newProof(randomBytes: RandomBytes): string {
  return randomBytes(PROOF_BYTES).toString('base64url');
}
