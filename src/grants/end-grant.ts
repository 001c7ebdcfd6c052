import type { Sealing } from '../sealing/sealing.ts';
import { newAttempt, type RandomBytes } from './device-code.ts';
import { endedEntry } from './entry-names.ts';
import type { Ledger } from './ledger.ts';

export type EndReason =
  | 'replay'
  | 'reuse'
  | 'revoked'
  | 'undo'
  | 'my_devices'
  | 'administrator'
  | 'upstream'
  | 'wrong_code';

/**
 * Ends a grant, and the device session that it has or would have become. Against a redemption that runs at the same
 * time: either that one finds the mark and nothing is issued, or the session that it made is ended.
 *
 * @param untilMs the end of the session if there is one, else the latest end that one made now could have: a mark that
 *   lapsed earlier would bring the session back
 * @returns whether this call ended it
 */
export async function endGrant(
  ground: { ledger: Ledger; sealing: Sealing; randomBytes: RandomBytes },
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
