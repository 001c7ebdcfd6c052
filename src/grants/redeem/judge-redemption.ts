import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { Grant } from '../../ledger/grant.ts';
import { judgeApprover, missingProof, narrowResources, stillAllowed } from '../decide/policy.ts';
import { isMarkedEnded, type SignedIn } from '../revocation-marks.ts';
import type { Poll } from './poll.ts';
import type { RedeemDeps, RefusedBecause } from './redeem-deps.ts';

export interface Granted {
  scopes: readonly string[];
  resources: readonly string[];
  tokenResources: readonly string[];
}

/** What may be handed out by today's configuration (I5, I6), for this poll's wish. */
export async function judgeRedemption(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  approval: Approval,
): Promise<
  | { verdict: 'allowed'; granted: Granted }
  | { verdict: 'refused'; reason: RefusedBecause }
  | { verdict: 'invalid_target' }
> {
  const { client } = poll;
  const refused = (reason: RefusedBecause) => ({ verdict: 'refused', reason }) as const;
  if (judgeApprover(client, approval).verdict !== 'allowed') return refused('approver');
  const missing = missingProof(client, grant);
  if (missing !== undefined) return refused(missing);
  if (!deps.areSafeguardsStillMet(client, grant, approval)) return refused('safeguards');
  const allowed = stillAllowed(client, approval);
  if (allowed.scopes.length === 0 && approval.scopes.length > 0) return refused('scopes');
  // A relayed token is as it is: what may not be in it any more cannot be left out.
  if (client.tokens === 'relay' && allowed.scopes.length < approval.scopes.length) return refused('scopes');
  if (allowed.resources.length === 0 && approval.resources.length > 0) return refused('resources');
  // Not consumed: the device may ask again for something that was approved (RFC 8707 §2.2).
  const tokenResources = narrowResources(client, allowed.resources, poll.resources);
  if (tokenResources === undefined) return { verdict: 'invalid_target' };
  if (await isMarkedEnded(deps, signInOf(client, grant, approval))) return refused('ended');
  return { verdict: 'allowed', granted: { ...allowed, tokenResources } };
}

function signInOf(client: RegisteredClient, grant: Grant, approval: Approval): SignedIn {
  return {
    ...approval,
    clientId: client.id,
    source: grant.source,
    endsOnLogout: client.endOnLogout,
  };
}
