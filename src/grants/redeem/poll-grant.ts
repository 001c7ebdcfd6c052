import type { Approval } from '../../ledger/approval.ts';
import { openApproval, openDecision } from '../../ledger/decision.ts';
import { newestProofMark } from '../../ledger/entry-keys.ts';
import { decodeGrant, type Grant } from '../../ledger/grant.ts';
import type { Holder, PollFacts } from '../../ledger/ledger.ts';
import { decodeSpent } from '../../ledger/spent.ts';
import { SealBrokenError } from '../../sealing/sealing.ts';
import { grantId } from '../device-code.ts';
import { endGrant } from '../end-grant.ts';
import { latestEndMs } from '../retention.ts';
import type { Poll, PollOutcome } from './poll.ts';
import { PACE_RULE } from './polling.ts';
import type { RedeemDeps, UnconfirmedBecause } from './redeem-deps.ts';
import { redeemGrant } from './redeem-grant.ts';
import { redeliverGrant } from './redeliver-grant.ts';
import { judgeReverseCode } from './reverse-code.ts';

const REPLAY_GRACE_MS = 30 * 1000;

const PENDING: PollOutcome = { outcome: 'authorization_pending' };

const INVALID: PollOutcome = { outcome: 'invalid_grant' };

/**
 * One poll, judged in the order of the protocol table. The storage decides in one step whether the grant is pending and
 * how its pace stands; only what is settled is opened and looked at here.
 *
 * @throws {StorageUnavailableError}
 * @throws {SealingKeyMissingError} when a key is away; nothing was written then
 */
export async function pollGrant(deps: RedeemDeps, poll: Poll): Promise<PollOutcome> {
  const id = grantId(poll.deviceCode);
  const asked = deps.ledger.poll(id, holderOf(poll), PACE_RULE);
  const facts = poll.admitted === undefined ? await asked : (await Promise.all([asked, poll.admitted]))[0];
  if (facts.state === 'unknown') return INVALID;
  // Without a key there is no proof to follow.
  const isOlder = poll.jkt !== '' && (await poll.proof.follow(newestProofMark(id))) === 'older';
  switch (facts.state) {
    case 'pending':
      return facts.pace === 'in_time'
        ? PENDING
        : { outcome: 'slow_down', intervalSeconds: Math.ceil(facts.intervalMs / 1000) };
    case 'settled':
      try {
        const grant = decodeGrant(id, facts.grant, deps.sealing);
        // A grant belongs to the issuer that it was started at, as it belongs to its client.
        return grant.issuer === poll.issuer ? await judgeSettled(deps, poll, grant, facts, isOlder) : INVALID;
      } catch (error) {
        if (!(error instanceof SealBrokenError)) throw error;
        // Somebody wrote to the storage who has no sealing key: nothing of this grant can be believed any more.
        deps.onForgery(id, error);
        return INVALID;
      }
  }
}

async function judgeSettled(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  facts: PollFacts & { state: 'settled' },
  isOlder: boolean,
): Promise<PollOutcome> {
  const { nowMs } = facts;
  const tooLate = (reason: UnconfirmedBecause) => {
    if (poll.reverseCode !== undefined) deps.onUnconfirmed(grant, reason, poll.asker);
  };
  if (facts.spent !== undefined) {
    if (facts.ended !== undefined) {
      tooLate('ended');
      return INVALID;
    }
    const spentAtMs = spentAt(deps, grant, facts.spent);
    const isLate = nowMs - spentAtMs > REPLAY_GRACE_MS;
    if (!isLate && facts.delivered === undefined) {
      tooLate('spent');
      return INVALID;
    }
    // Sent again by somebody else, or the device's clock was set back: only a newer proof can tell.
    if (isOlder) return { outcome: 'invalid_dpop_proof' };
    await poll.proof.spend(grant.id);
    const again = await redeliverGrant(deps, poll, grant, facts, spentAtMs);
    if (again !== undefined) return again;
    tooLate('spent');
    // A client's own retry comes at once. Much later it is somebody else with a stolen code, or the owner after them.
    if (isLate) {
      const { hasEnded } = await endGrant(deps, grant.id, 'replay', latestEndMs(grant));
      if (hasEnded) deps.onReplayed(grant, poll.asker);
    }
    return INVALID;
  }
  if (facts.ended !== undefined) {
    tooLate('ended');
    return { outcome: 'access_denied' };
  }
  if (facts.decision === undefined) return { outcome: 'expired_token' };

  const decision = await openDecision(grant, facts.decision, deps.sealing);
  if (decision.decision === 'denied') {
    tooLate('denied');
    return { outcome: 'access_denied' };
  }
  // Approved in time, and the device could not have come sooner.
  if (nowMs > grant.expiresAtMs + facts.intervalMs) return { outcome: 'expired_token' };
  if (decision.heldUntilMs !== undefined && nowMs < decision.heldUntilMs) return PENDING;
  // Not a refusal: a device whose clock was set back comes again, and is newer than its last poll some time later.
  if (isOlder) return PENDING;

  const approval = openApproval(decision, poll.deviceCode);
  switch (await judgeReverseCode(deps, grant, approval, poll)) {
    case 'awaited':
      return PENDING;
    case 'refused':
      return { outcome: 'access_denied' };
    case 'right':
      return redeemOrRedeliver(deps, poll, grant, approval, nowMs);
  }
}

/** Of polls that arrive together one redeems; where the client has redelivery, the others are given its answer. */
async function redeemOrRedeliver(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  approval: Approval,
  nowMs: number,
): Promise<PollOutcome> {
  const outcome = await redeemGrant(deps, poll, grant, approval, nowMs);
  if (outcome.outcome !== 'invalid_grant' || poll.client.redeliverySeconds === 0) return outcome;
  const facts = await deps.ledger.poll(grant.id, holderOf(poll), PACE_RULE);
  if (facts.state !== 'settled' || facts.spent === undefined) return outcome;
  return (await redeliverGrant(deps, poll, grant, facts, spentAt(deps, grant, facts.spent))) ?? outcome;
}

function spentAt({ sealing }: RedeemDeps, grant: Grant, spent: string): number {
  return decodeSpent(sealing, grant.id, spent).atMs;
}

function holderOf({ client, challenge, jkt }: Poll): Holder {
  return { clientId: client.id, challenge, jkt };
}
