import type { Approval } from '../../ledger/approval.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import {
  confirmationDeniedEntry,
  decisionEntry,
  deliveredEntry,
  endedEntry,
  grantEntry,
  spentEntry,
} from '../../ledger/entry-keys.ts';
import type { Grant } from '../../ledger/grant.ts';
import { type Entry, StorageUnavailableError } from '../../ledger/ledger.ts';
import { encodeSpent } from '../../ledger/spent.ts';
import { subjectIndexOf } from '../../ledger/subject-index.ts';
import { judgeRedemption } from './judge-redemption.ts';
import type { Poll, PollOutcome } from './poll.ts';
import type { RedeemDeps } from './redeem-deps.ts';
import { sealDelivered } from './redeliver-grant.ts';
import { confirmedBy } from './reverse-code.ts';
import { userinfoEntries } from './userinfo-entry.ts';

/**
 * How long after it is sent a redemption, or a refresh, may still be written. Less than a device waits for us: a
 * command that sat out an outage in a queue must not spend a code whose poll was told to come again.
 */
export const COMMIT_WITHIN_MS = 2500;

/**
 * Validate, then claim, then issue: policy by today's configuration (I5, I6), before-marks and signing come first; then
 * one script writes `spent`, session and first refresh token, for one caller only (I1); then the answer goes out.
 */
export async function redeemGrant(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  approval: Approval,
  nowMs: number,
): Promise<PollOutcome> {
  const { client, deviceCode } = poll;
  const { ledger, sealing } = deps;

  const judged = await judgeRedemption(deps, poll, grant, approval);
  if (judged.verdict === 'invalid_target') return { outcome: 'invalid_target' };
  if (judged.verdict === 'refused') {
    deps.onRefused(grant, approval, judged.reason, poll.asker);
    return { outcome: 'access_denied' };
  }

  const attempt = newAttempt(deps.randomBytes);
  const jkt = poll.jkt === '' ? undefined : poll.jkt;
  const redemption = { client, grant, approval, ...judged.granted, jkt, atMs: nowMs };
  const session = await deps.beginSession(redemption, deviceCode, attempt);
  // Derived: a redemption that is repeated makes the same token.
  const jti = sealing.derive(grant.keyName, 'jti', deviceCode, 16).toString('base64url');
  const { refreshToken, endsAtMs: sessionEndsAtMs } = session;
  const issued = await deps.issueTokens(redemption, { jti, refreshToken, sessionEndsAtMs });
  if (issued.outcome === 'expired') return { outcome: 'expired_token' };

  const writes: [Entry, ...Entry[]] = [
    {
      key: spentEntry(grant.id),
      value: encodeSpent(sealing, grant.id, attempt, nowMs),
      expiresAtMs: grant.keptUntilMs,
    },
    ...session.entries,
    ...(await userinfoEntries(sealing, { id: grant.id, jti, atMs: nowMs, endsAtMs: session.endsAtMs }, issued)),
  ];
  if (client.redeliverySeconds > 0) {
    writes.push({
      key: deliveredEntry(grant.id),
      value: await sealDelivered(sealing, poll, grant, issued, judged.granted),
      expiresAtMs: nowMs + client.redeliverySeconds * 1000,
    });
  }
  await poll.proof.spend(grant.id);
  // Before the redemption: a session that no index names could not be shown to the person, nor be ended by them.
  const index = subjectIndexOf(sealing, approval);
  const [readyAtMs] = await Promise.all([ledger.now(), ledger.enlist(index, grant.id, session.endsAtMs)]);
  const denials = [endedEntry(grant.id), confirmationDeniedEntry(grant.id)];
  const committed = await ledger.commit({
    attempt,
    writes,
    requires: [grantEntry(grant.id), decisionEntry(grant.id)],
    unless: denials,
    notAfterMs: readyAtMs + COMMIT_WITHIN_MS,
  });
  switch (committed.outcome) {
    case 'won':
      return {
        ...{ outcome: 'tokens', answer: issued.answer, grantId: grant.id, redelivered: false },
        person: { upstream: approval.upstream, subject: approval.subject },
        confirmedBy: confirmedBy(approval, poll.reverseCode),
      };
    case 'lost':
      return { outcome: 'invalid_grant' };
    case 'refused':
      if (committed.because === 'late') throw new StorageUnavailableError('the redemption came too late to be written');
      return { outcome: denials.includes(committed.because) ? 'access_denied' : 'invalid_grant' };
  }
}
