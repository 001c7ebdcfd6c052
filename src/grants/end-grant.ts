import type { Sealing } from '../sealing/sealing.ts';
import { newAttempt, type RandomBytes } from './device-code.ts';
import { endedEntry, newestRefreshEntries, turnsMark } from './entry-names.ts';
import type { Ledger } from './ledger.ts';

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
  | 'wrong_code';

interface EndingGround {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
}

/**
 * Ends a grant, and the device session that it has or would have become, and deletes what that carried. Against a
 * redemption that runs at the same time: either that one finds the mark and nothing is issued, or the session that it
 * made is ended.
 *
 * @param untilMs the end of the session if there is one, else the latest end that one made now could have: a mark that
 *   lapsed earlier would bring the session back
 * @returns whether this call ended it
 */
export async function endGrant(ground: EndingGround, id: string, reason: EndReason, untilMs: number): Promise<boolean> {
  const hasEnded = await markEnded(ground, id, reason, untilMs);
  await forgetCarried(ground, id);
  return hasEnded;
}

/** The first step alone, for who has still to open what the session carries. From here on nothing is rotated. */
export async function markEnded(
  ground: EndingGround,
  id: string,
  reason: EndReason,
  untilMs: number,
): Promise<boolean> {
  const key = endedEntry(id);
  const attempt = newAttempt(ground.randomBytes);
  const value = ground.sealing.vouch(key, `${attempt}|1|${reason}|${await ground.ledger.now()}`);
  const ended = await ground.ledger.commit({ attempt, writes: [{ key, value, expiresAtMs: untilMs }] });
  return ended.outcome === 'won';
}

/** The second: claims and the upstream's tokens, sealed to the newest refresh token, can be used by nobody any more. */
export async function forgetCarried({ ledger }: Pick<EndingGround, 'ledger'>, id: string): Promise<void> {
  const [turns = 0] = await ledger.marks([turnsMark(id)]);
  await Promise.all(newestRefreshEntries(id, turns).map((entry) => ledger.take(entry)));
}
