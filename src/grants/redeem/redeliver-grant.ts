import { hash } from 'node:crypto';
import { newAttempt } from '../../ledger/attempt.ts';
import { openApproval, openDecision } from '../../ledger/decision.ts';
import { deliveredEntry } from '../../ledger/entry-keys.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { PollFacts } from '../../ledger/ledger.ts';
import { type Form, openVersioned, sealVersioned } from '../../ledger/versioned-seal.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import { againOf } from './given-again.ts';
import { type Granted, judgeRedemption } from './judge-redemption.ts';
import type { Poll, PollOutcome } from './poll.ts';
import type { RedeemDeps } from './redeem-deps.ts';
import type { IssuedAnswer, TokenAnswer } from './redemption.ts';
import { userinfoEntries } from './userinfo-entry.ts';

const DELIVERED: Form = { kind: 'delivered answer', format: 1 };

/** What a redemption leaves for its own repetition: the key that came along, the answer, and the wish that it was for. */
type Delivered = [jkt: string, answer: TokenAnswer, wish: string | undefined];

export function sealDelivered(
  sealing: Sealing,
  { jkt, deviceCode }: Poll,
  grant: Grant,
  { answer }: IssuedAnswer,
  granted: Granted,
): Promise<string> {
  const delivered: Delivered = [jkt, answer, wishOf(granted)];
  return sealVersioned(sealing, DELIVERED, delivered, deliveredEntry(grant.id), deviceCode);
}

/**
 * Answers a device that says that it never got its tokens: for the same client and key, within `redelivery`, and only
 * while nothing has ended what was redeemed. The same wish gets the same answer, with the life that is left of it (I1).
 * Other resources, as allowed as the first, get an access token of their own beside the same refresh token.
 *
 * @returns `undefined` where there is nothing to be had again
 */
export async function redeliverGrant(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  { nowMs, delivered, ended, decision: stored }: PollFacts & { state: 'settled' },
  spentAtMs: number,
): Promise<PollOutcome | undefined> {
  const { sealing, ledger, randomBytes } = deps;
  const { client, deviceCode } = poll;
  if (delivered === undefined || ended !== undefined || stored === undefined) return undefined;
  if (client.redeliverySeconds === 0) return undefined;
  const key = deliveredEntry(grant.id);
  const [jkt, answer, wish] = await openVersioned<Delivered>(sealing, DELIVERED, delivered, key, deviceCode);
  if (jkt !== poll.jkt) return undefined;
  const decision = await openDecision(grant, stored, sealing);
  if (decision.decision !== 'approved') return undefined;
  const approval = openApproval(decision, deviceCode);
  const judged = await judgeRedemption(deps, poll, grant, approval);
  if (judged.verdict === 'invalid_target') return { outcome: 'invalid_target' };
  if (judged.verdict !== 'allowed') return undefined;

  const again = againOf({
    // Release 0.1.0 kept no wish: its answer is for who asks for nothing in particular.
    isEqual: wish === undefined ? poll.resources.length === 0 : wish === wishOf(judged.granted),
    firstAtMs: spentAtMs,
    lifeSeconds: client.lifetimes.accessTokenSeconds,
    nowMs,
    randomBytes,
  });
  const redelivered = { outcome: 'tokens', grantId: grant.id, redelivered: true } as const;
  if (again.isSame) return { ...redelivered, answer: again.dated(answer) };

  const { jti, atMs } = again;
  const redemption = { client, grant, approval, ...judged.granted, jkt: jkt === '' ? undefined : jkt };
  const session = await deps.beginSession({ ...redemption, atMs: spentAtMs }, deviceCode, newAttempt(randomBytes));
  const { refreshToken, endsAtMs } = session;
  const facts = { jti, refreshToken, sessionEndsAtMs: endsAtMs };
  const issued = await deps.issueTokens({ ...redemption, atMs }, facts);
  if (issued.outcome === 'expired') return undefined;
  const [entry] = await userinfoEntries(sealing, { id: grant.id, jti, atMs, endsAtMs }, issued);
  if (entry !== undefined) await ledger.commit({ attempt: '', writes: [entry] });
  return { ...redelivered, answer: issued.answer };
}

function wishOf({ scopes, tokenResources }: Granted): string {
  return hash('sha256', JSON.stringify([scopes.toSorted(), tokenResources.toSorted()]), 'buffer').toString(
    ...(['base64url', 0, 16] as const),
  );
}
