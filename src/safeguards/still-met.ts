import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval } from '../grants/approval.ts';
import type { Grant } from '../grants/grant.ts';
import { mayInitiateFrom } from './approval-network.ts';
import { judgeReverseCode } from './reverse-code.ts';
import { judgeSignIn } from './strong-sign-in.ts';

/** Whether a device may have started like this, by today's configuration. */
export function isStartStillMet({ safeguards }: RegisteredClient, { source, confirmation }: Grant): boolean {
  return mayInitiateFrom(safeguards, source) && judgeReverseCode(safeguards.reverseCode, confirmation) !== 'refuse';
}

/**
 * Whether what was approved meets the safeguards of today: a reload may have asked for more since. How old a sign-in may
 * be is about the moment when it approved, so that a device may still come for its tokens a little later.
 */
export function areSafeguardsStillMet(client: RegisteredClient, grant: Grant, approval: Approval): boolean {
  const signIn = judgeSignIn(client.safeguards, approval, grant.startedAtMs, approval.approvedAtMs);
  return signIn.verdict === 'strong_enough' && isStartStillMet(client, grant);
}
