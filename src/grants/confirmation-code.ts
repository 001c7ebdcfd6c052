import { equalTexts } from '../sealing/sealing.ts';
import type { Approval } from './approval.ts';
import { newAttempt } from './device-code.ts';
import { endGrant } from './end-grant.ts';
import { confirmationEntry } from './entry-names.ts';
import type { Grant } from './grant.ts';
import { latestEndMs } from './longest-life.ts';
import type { Poll } from './poll-grant.ts';
import type { RedeemGround } from './redeem-grant.ts';

/** The third wrong code denies. */
const TRIES = 3;

/**
 * The reverse code: after the approval the page shows four digits, and the device must send them with a poll. Somebody
 * who is not at the device cannot know where to type them. Each wrong code takes one of three entries that are written
 * once, so parallel guesses cannot share a try; the same wrong code again (a poll sent twice) takes no second one.
 */
export async function judgeConfirmationCode(
  ground: RedeemGround,
  grant: Grant,
  approval: Approval,
  poll: Poll,
): Promise<'right' | 'awaited' | 'refused'> {
  const expected = approval.confirmationCode;
  if (expected === undefined) return 'right';
  const typed = poll.confirmationCode;
  if (typed === undefined) return 'awaited';
  if (equalTexts(typed, expected)) return 'right';

  const [typedTag = '', ...olderTags] = ground.sealing.tags('confirmation code', `${grant.id} ${typed}`);
  for (let n = 1; n <= TRIES; n += 1) {
    const key = confirmationEntry(grant.id, n);
    const attempt = newAttempt(ground.randomBytes);
    const value = ground.sealing.vouch(key, `${attempt}|${typedTag}`);
    const taken = await ground.ledger.commit({ attempt, writes: [{ key, value, expiresAtMs: grant.keptUntilMs }] });
    const before = taken.outcome === 'lost' ? (taken.existing.split('|')[1] ?? '') : '';
    const isMine = taken.outcome === 'won' || [typedTag, ...olderTags].includes(before);
    if (isMine && n < TRIES) return 'awaited';
  }
  if (await endGrant(ground, grant.id, 'wrong_code', latestEndMs(grant))) {
    ground.onRefused(grant, approval, 'confirmation_code');
  }
  return 'refused';
}
