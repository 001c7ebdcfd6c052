import type { RandomBytes } from '../sealing/secret.ts';

/** The random id of one attempt to write, with which the written value begins. */
export function newAttempt(randomBytes: RandomBytes): string {
  return randomBytes(8).toString('base64url');
}

/** A written value without the attempt that it begins with. */
export function afterAttempt(stored: string): string {
  return stored.slice(stored.indexOf('|') + 1);
}
