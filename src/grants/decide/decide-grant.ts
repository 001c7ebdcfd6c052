import type { Approval } from '../../ledger/approval.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { type Decision, type DeniedBy, openDecision, sealApproval, sealDecision } from '../../ledger/decision.ts';
import { decisionEntry, endedEntry, grantEntry } from '../../ledger/entry-keys.ts';
import type { Grant } from '../../ledger/grant.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import type { GrantDeps } from '../start/start-grant.ts';

export type DecisionOutcome =
  | { outcome: 'decided' }
  /** Somebody was first; `mine` tells whether it was the same browser. The first decision stands. */
  | { outcome: 'already'; decision: 'approved' | 'denied'; mine: boolean }
  | { outcome: 'ended' }
  /** The code ran out; nothing was connected. */
  | { outcome: 'expired' }
  /** What stands there no broker wrote: nothing can be decided, and nothing comes of the grant. */
  | { outcome: 'unreadable'; error: SealBrokenError };

/**
 * @param browser the fingerprint of the browser that decides
 * @param receipt what that browser is shown of it again, sealed to it
 */
export async function approveGrant(
  deps: GrantDeps,
  grant: Grant,
  approval: Approval,
  browser: string,
  receipt?: string,
): Promise<DecisionOutcome> {
  const inner = sealApproval(approval, grant);
  const held = approval.heldUntilMs === undefined ? {} : { heldUntilMs: approval.heldUntilMs };
  const shown = receipt === undefined ? {} : { receipt };
  return decide(deps, grant, { decision: 'approved', inner, browser, ...held, ...shown });
}

export async function denyGrant(
  deps: GrantDeps,
  grant: Grant,
  by: DeniedBy,
  browser: string,
): Promise<DecisionOutcome> {
  return decide(deps, grant, { decision: 'denied', by, browser });
}

async function decide(deps: GrantDeps, grant: Grant, decision: Decision): Promise<DecisionOutcome> {
  const { ledger, sealing, randomBytes } = deps;
  const attempt = newAttempt(randomBytes);
  const value = await sealDecision(attempt, grant, decision, sealing);
  const committed = await ledger.commit({
    attempt,
    writes: [{ key: decisionEntry(grant.id), value, expiresAtMs: grant.keptUntilMs }],
    requires: [grantEntry(grant.id)],
    unless: [endedEntry(grant.id)],
    // At the very end a poll is told that it expired, and no decision may come after that.
    notAfterMs: grant.expiresAtMs - 1,
  });
  switch (committed.outcome) {
    case 'won':
      return { outcome: 'decided' };
    case 'lost':
      return already(grant, committed.existing, decision.browser, sealing);
    case 'refused':
      return { outcome: committed.because === endedEntry(grant.id) ? 'ended' : 'expired' };
  }
}

async function already(
  grant: Grant,
  existing: string,
  browser: string | undefined,
  sealing: Sealing,
): Promise<DecisionOutcome> {
  try {
    const first = await openDecision(grant, existing, sealing);
    return { outcome: 'already', decision: first.decision, mine: first.browser === browser };
  } catch (error) {
    if (error instanceof SealBrokenError) return { outcome: 'unreadable', error };
    throw error;
  }
}
