import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { ClaimReading, JudgedClaims } from '../../ledger/approval.ts';
import { configuredResources } from '../../oauth/resource.ts';
import { intersectScopes } from '../../oauth/scope.ts';
import { judgeCondition } from './approver-conditions.ts';

/** The person who wants to approve, as far as a policy can look at them. */
export interface Approver {
  upstream: string;
  subject: string;
  /** `undefined` where the upstream sent no such claim. */
  groups?: ClaimReading | undefined;
  /** What conditions look at. */
  judged?: JudgedClaims | undefined;
  /** What tokens would carry. */
  claims?: Readonly<Record<string, unknown>> | undefined;
}

/** Of the claims in a token, as JSON: programs of the field refuse tokens and headers that are much larger. */
export const MAX_CLAIMS_BYTES = 8 * 1024;

export type Verdict =
  | { verdict: 'allowed' }
  | { verdict: 'refused'; reason: 'upstream' | 'subject' | 'group' | 'deny_group' }
  /** More is to be said of this person than fits into a token. */
  | { verdict: 'refused'; reason: 'claims_too_large' }
  /** A condition on a claim does not hold. */
  | { verdict: 'refused'; reason: 'claim'; claim: string }
  /** The policy needs a claim that did not come, or that cannot be read: the upstream's fault, not the person's. */
  | { verdict: 'claim_missing' | 'claim_unreadable'; claim: string };

/** Whether this is neither a yes nor a no, since the upstream did not say what is needed. */
export function isUndecided({ verdict }: Verdict): boolean {
  return verdict === 'claim_missing' || verdict === 'claim_unreadable';
}

/** Whether it could be another once the upstream says anew what it knows of the person. */
export function restsOnClaims(verdict: Verdict): boolean {
  return verdict.verdict === 'refused'
    ? verdict.reason !== 'upstream' && verdict.reason !== 'subject'
    : isUndecided(verdict);
}

/**
 * Whether this person may approve for this client, by today's configuration. Group names count per upstream: the entry
 * `corp|engineering` means that upstream's group only, `engineering` means it at each of the client's upstreams.
 */
export function judgeApprover(client: RegisteredClient, approver: Approver): Verdict {
  const { subjects, upstreams, require = [] } = client.approvers;
  if (!client.upstreams.includes(approver.upstream)) return { verdict: 'refused', reason: 'upstream' };
  if (upstreams !== undefined && !upstreams.includes(approver.upstream)) {
    return { verdict: 'refused', reason: 'upstream' };
  }
  const isNamed = subjects === undefined || names(subjects, client, approver.upstream, approver.subject);
  if (!isNamed) return { verdict: 'refused', reason: 'subject' };
  const byGroups = judgeGroups(client, approver);
  if (byGroups.verdict !== 'allowed') return byGroups;
  for (const condition of require) {
    const { claim } = condition;
    const verdict = judgeCondition(condition, approver.judged ?? {});
    if (verdict === 'fails') return { verdict: 'refused', reason: 'claim', claim };
    if (verdict !== 'holds') return { verdict, claim };
  }
  const claimsBytes = Buffer.byteLength(JSON.stringify(approver.claims ?? {}));
  return claimsBytes > MAX_CLAIMS_BYTES ? { verdict: 'refused', reason: 'claims_too_large' } : { verdict: 'allowed' };
}

function judgeGroups(client: RegisteredClient, { upstream, groups: found }: Approver): Verdict {
  if (!asksForGroups(client)) return { verdict: 'allowed' };
  const { groups, denyGroups } = client.approvers;
  if (found === undefined) return { verdict: 'claim_missing', claim: 'groups' };
  if (found === 'unreadable') return { verdict: 'claim_unreadable', claim: 'groups' };
  const isIn = (list: readonly string[]) => found.some((group) => names(list, client, upstream, group));
  if (denyGroups !== undefined && isIn(denyGroups)) return { verdict: 'refused', reason: 'deny_group' };
  if (groups !== undefined && !isIn(groups)) return { verdict: 'refused', reason: 'group' };
  return { verdict: 'allowed' };
}

function asksForGroups({ approvers: { groups, denyGroups } }: RegisteredClient): boolean {
  return groups !== undefined || (denyGroups !== undefined && denyGroups.length > 0);
}

/** The claims without which nobody can be judged for this client, by the names that conditions have. */
export function judgedClaimNames(client: RegisteredClient): string[] {
  const named = (client.approvers.require ?? []).map(({ claim }) => claim);
  return [...new Set([...(asksForGroups(client) ? ['groups'] : []), ...named])];
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

/**
 * What a minted token of this grant is for: the resources that were asked for, else the client's first (RFC 8707 §2). It is
 * shown and approved like a scope, so that a reload cannot make another of it. A relayed token is for what its upstream says.
 */
export function shownResources(
  client: RegisteredClient,
  asked: { scopes: readonly string[]; resources: readonly string[] },
): readonly string[] {
  if (client.tokens === 'relay' || asked.resources.length > 0) return stillAllowed(client, asked).resources;
  return firstResource(client);
}

/**
 * The resources that a token is for, of those that are allowed (RFC 8707 §2.2): the ones that were asked for, or all where
 * none is named; `undefined` where one of them was not approved. Where none was approved the client's first may be named.
 */
export function narrowResources(
  client: RegisteredClient,
  allowed: readonly string[],
  asked: readonly string[],
): readonly string[] | undefined {
  const audiences = allowed.length > 0 ? allowed : firstResource(client);
  if (!asked.every((resource) => audiences.includes(resource))) return undefined;
  return asked.length > 0 ? asked : allowed;
}

/** What a minted token is for where nobody asked for anything. */
function firstResource({ resources }: RegisteredClient): readonly string[] {
  return resources.slice(0, 1);
}

/** What this client's starts must bring today and this one did not: a reload may ask for more than was asked then. */
export function missingProof(
  { require }: RegisteredClient,
  start: { challenge: string; jkt: string },
): 'pkce' | 'dpop' | undefined {
  if (require.includes('pkce') && start.challenge === '') return 'pkce';
  return require.includes('dpop') && start.jkt === '' ? 'dpop' : undefined;
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
