import type { Safeguards } from '../clients/registered-client.ts';
import type { RandomBytes } from '../sealing/secret.ts';

/**
 * Whether the page shows four digits after the approval that the device must send back: who is not at the device cannot
 * type them there. A device says at the start that it can (`confirmation=supported|required`), since an unmodified
 * client has no field for them. `refuse` is for the start: this client's devices must be able to.
 */
export function reverseCodeAtStart(
  mode: Safeguards['reverseCode'],
  confirmation: 'supported' | 'required' | 'loopback' | undefined,
): 'none' | 'make' | 'refuse' {
  if (mode === 'off') return 'none';
  if (confirmation !== undefined) return 'make';
  return mode === 'required' ? 'refuse' : 'none';
}

/** Four digits, each value as likely as the others. */
export function newReverseCode(randomBytes: RandomBytes): string {
  for (;;) {
    const drawn = randomBytes(2).readUInt16BE();
    // Beyond the last full ten thousand the small values would come a little more often.
    if (drawn < 60_000) return String(drawn % 10_000).padStart(4, '0');
  }
}
