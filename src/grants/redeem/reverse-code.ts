import type { Approval } from '../../ledger/approval.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { confirmationDeniedEntry, confirmationEntry } from '../../ledger/entry-keys.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { Entry } from '../../ledger/ledger.ts';
import { equalTexts } from '../../sealing/sealing.ts';
import { endGrant } from '../end-grant.ts';
import { latestEndMs } from '../retention.ts';
import type { ConfirmedBy, Poll } from './poll.ts';
import type { RedeemDeps } from './redeem-deps.ts';

/** How many different codes are looked at; where the last of them is wrong, it denies. */
const TRIES = 3;

/**
 * The reverse code: after the approval the page shows four digits, and the device must send them with a poll. Somebody
 * who is not at the device cannot know where to type them. Where the device listens on the browser's machine, it may
 * send the proof instead that the browser brought there; both count as codes.
 *
 * Each code, the right one too, takes one of three places that are written once, before anything comes of what it is.
 * The fourth code finds none and leaves the mark of a denial; a redemption commits only where that mark is not
 * (`redeemGrant`). So of a burst three codes are judged, in whatever order they arrive. The same code again, as of a
 * poll that is sent twice, has its place already.
 */
export async function judgeReverseCode(
  deps: RedeemDeps,
  grant: Grant,
  approval: Approval,
  poll: Poll,
): Promise<'right' | 'awaited' | 'refused'> {
  if (approval.confirmationCode === undefined) return 'right';
  const typed = poll.reverseCode;
  if (typed === undefined) return 'awaited';
  const isRight = confirmedBy(approval, typed) !== undefined;

  const taken = await takePlace(deps, grant, typed, isRight);
  if (taken.place !== undefined && isRight) return 'right';
  if (taken.isNew && !isRight) deps.onUnconfirmed(grant, 'wrong', poll.asker);
  if (taken.place !== undefined && taken.place < TRIES) return 'awaited';
  if (taken.hasDenied && (await endGrant(deps, grant.id, 'wrong_code', latestEndMs(grant))).hasEnded) {
    deps.onRefused(grant, approval, 'confirmation_code', poll.asker);
  }
  return 'refused';
}

/** What of an approval a code is, if anything. */
export function confirmedBy(approval: Approval, typed: string | undefined): ConfirmedBy | undefined {
  const { confirmationCode: digits, confirmationProof: proof } = approval;
  if (typed === undefined || digits === undefined) return undefined;
  if (proof !== undefined && equalTexts(typed, proof)) return 'loopback';
  return equalTexts(typed, digits) ? 'digits' : undefined;
}

/** The place of this code, where it has or gets one (`isNew`); `hasDenied` for the one caller that wrote the denial. */
async function takePlace(
  { ledger, sealing, randomBytes }: RedeemDeps,
  grant: Grant,
  typed: string,
  isRight: boolean,
): Promise<{ place?: number; isNew?: boolean; hasDenied: boolean }> {
  const { id, keptUntilMs: expiresAtMs } = grant;
  const [typedTag = '', ...olderTags] = sealing.tags('confirmation code', `${id} ${typed}`);
  const attempt = newAttempt(randomBytes);
  const entry = (key: string, content: string): Entry => ({
    key,
    value: sealing.vouch(key, `${attempt}|${content}`),
    expiresAtMs,
  });
  const denial = entry(confirmationDeniedEntry(id), '');
  for (let place = 1; place <= TRIES; place += 1) {
    const own = entry(confirmationEntry(id, place), typedTag);
    // In one step: were it denied a moment later, a process that dies in between would leave a fourth try.
    const denies = place === TRIES && !isRight;
    const taken = await ledger.commit({ attempt, writes: denies ? [own, denial] : [own], unless: [denial.key] });
    if (taken.outcome === 'won') return { place, isNew: true, hasDenied: denies };
    if (taken.outcome === 'refused') return { hasDenied: false };
    const before = taken.existing.split('|')[1] ?? '';
    if ([typedTag, ...olderTags].includes(before)) return { place, hasDenied: false };
  }
  return { hasDenied: (await ledger.commit({ attempt, writes: [denial] })).outcome === 'won' };
}
