import type { Sealing } from '../sealing/sealing.ts';
import { endedEntry } from './entry-keys.ts';

export type EndReason =
  | 'replay'
  | 'reuse'
  | 'revoked'
  | 'undo'
  | 'my_devices'
  | 'administrator'
  | 'upstream'
  /** The person signed out at the upstream. */
  | 'logout'
  /** What the upstream says of the person now does not do for the client any more. */
  | 'policy'
  | 'wrong_code'
  /** A live refresh token was shown again and again with what was never approved. */
  | 'refused_wishes'
  /** The answer to a refresh was asked for again from another network, and the client's safeguards require one. */
  | 'other_network'
  /** A refresh token came that the storage has lost the making of. */
  | 'lost';

const FORMAT = 1;

/** That a grant or its session has ended, as it is stored: `<attempt>|<format>|<reason>|<moment>`, and that a broker wrote it. */
export function encodeEnded(
  sealing: Sealing,
  id: string,
  { attempt, reason, atMs }: { attempt: string; reason: EndReason; atMs: number },
): string {
  return sealing.vouch(endedEntry(id), [attempt, FORMAT, reason, atMs].join('|'));
}

/** @throws {SealBrokenError} when no broker wrote it for this grant */
export function decodeEnded(sealing: Sealing, id: string, stored: string): { reason: EndReason } {
  const [, , reason] = sealing.check(endedEntry(id), stored).split('|');
  return { reason: reason as EndReason };
}
