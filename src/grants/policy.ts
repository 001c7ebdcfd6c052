import type { RegisteredClient } from '../clients/registered-client.ts';
import { configuredResources } from '../oauth/resource.ts';
import { intersectScopes } from '../oauth/scope.ts';

/** Who wants to approve, as far as a policy can look at it. */
export interface Approver {
  upstream: string;
  subject: string;
  /** `undefined` where the upstream sent no such claim. */
  groups?: readonly string[] | undefined;
}

export type Verdict =
  | { verdict: 'allowed' }
  | { verdict: 'refused'; reason: 'upstream' | 'subject' | 'group' | 'deny_group' }
  /** The policy asks for a claim that did not come; that is the upstream's fault, not the person's. */
  | { verdict: 'claim_missing' };

/**
 * Whether this person may approve for this client, by today's configuration. Group names count per upstream: the entry
 * `corp|engineering` means that upstream's group only, `engineering` means it at each of the client's upstreams.
 */
export function judgeApprover(client: RegisteredClient, approver: Approver): Verdict {
  const { groups, subjects, upstreams, denyGroups } = client.approvers;
  if (!client.upstreams.includes(approver.upstream)) return { verdict: 'refused', reason: 'upstream' };
  if (upstreams !== undefined && !upstreams.includes(approver.upstream)) {
    return { verdict: 'refused', reason: 'upstream' };
  }
  const named = (list: readonly string[], name: string) => names(list, client, approver.upstream, name);
  if (subjects !== undefined && !named(subjects, approver.subject)) return { verdict: 'refused', reason: 'subject' };
  const asksForGroups = groups !== undefined || (denyGroups !== undefined && denyGroups.length > 0);
  if (!asksForGroups) return { verdict: 'allowed' };
  if (approver.groups === undefined) return { verdict: 'claim_missing' };
  const isIn = (list: readonly string[]) => approver.groups?.some((group) => named(list, group));
  if (denyGroups !== undefined && isIn(denyGroups)) return { verdict: 'refused', reason: 'deny_group' };
  if (groups !== undefined && !isIn(groups)) return { verdict: 'refused', reason: 'group' };
  return { verdict: 'allowed' };
}

/**
 * What may still be issued of what was shown (I5): judged at the start against what was asked, and again at redemption
 * and refresh against what was approved, each time by today's configuration.
 */
export function stillAllowed(
  client: RegisteredClient,
  asked: { scopes: readonly string[]; resources: readonly string[] },
) {
  return {
    scopes: intersectScopes(asked.scopes, client.scopes.allowed),
    // As they are configured today: who respells one there ends no session by it.
    resources: configuredResources(asked.resources, client.resources).filter((resource) => resource !== undefined),
  };
}

/** Whether a device of this client gets refresh tokens with these scopes, by today's configuration. */
export function getsRefreshTokens(client: RegisteredClient, scopes: readonly string[]): boolean {
  if (!client.grantTypes.includes('refresh_token')) return false;
  if (client.refreshTokens === 'offline_access') return scopes.includes('offline_access');
  return client.refreshTokens === 'always';
}

/** An entry for another upstream counts here for nothing, even if a group or subject here is called just like it. */
function names(list: readonly string[], client: RegisteredClient, upstream: string, name: string): boolean {
  if (list.includes(`${upstream}|${name}`)) return true;
  const isOfAnother = client.upstreams.some((other) => other !== upstream && name.startsWith(`${other}|`));
  return !isOfAnother && list.includes(name);
}
