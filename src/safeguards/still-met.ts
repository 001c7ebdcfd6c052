import type { RegisteredClient, Safeguards } from '../clients/registered-client.ts';
import type { Approval } from '../ledger/approval.ts';
import type { Grant } from '../ledger/grant.ts';
import { cidrSet } from '../network/cidr.ts';
import { confirmationAtStart, mustBeConfirmed } from './same-device.ts';
import { judgeSignIn } from './strong-sign-in.ts';

/** Whether a device may have started like this, by today's configuration. */
export function isStartStillMet({ safeguards }: RegisteredClient, { source, confirmation }: Grant): boolean {
  return mayInitiateFrom(safeguards, source) && confirmationAtStart(safeguards, confirmation) !== 'refuse';
}

/** How far an upstream's clock may be from ours; 0 for one that is gone from the configuration. */
export type ClockTolerance = (upstream: string) => number;

/**
 * Whether what was approved meets the safeguards of today: a reload may have asked for more since. How old a sign-in may
 * be is about the moment when it approved, so that a device may still come for its tokens a little later.
 */
export function areSafeguardsStillMet(
  client: RegisteredClient,
  grant: Grant,
  approval: Approval,
  clockToleranceSeconds: ClockTolerance,
): boolean {
  const signIn = judgeSignIn(client.safeguards, approval, {
    grantStartedAtMs: grant.startedAtMs,
    nowMs: approval.approvedAtMs,
    clockToleranceSeconds: clockToleranceSeconds(approval.upstream),
  });
  // Approved while nothing was asked for, by a device that said that it could.
  const isConfirmable = !mustBeConfirmed(client.safeguards) || approval.confirmationCode !== undefined;
  return signIn.verdict === 'strong_enough' && isConfirmable && isStartStillMet(client, grant);
}

/** Whether a device may start from here; an empty list does not restrict. */
export function mayInitiateFrom({ initiateFrom }: Pick<Safeguards, 'initiateFrom'>, address: string): boolean {
  return initiateFrom.length === 0 || cidrSet(initiateFrom).has(address);
}

/** Whether a person may approve from here. Denying is free everywhere. */
export function mayApproveFrom({ approveFrom }: Pick<Safeguards, 'approveFrom'>, address: string): boolean {
  return approveFrom.length === 0 || cidrSet(approveFrom).has(address);
}
