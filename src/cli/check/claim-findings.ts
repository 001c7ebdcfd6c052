import type { RegisteredClient } from '../../clients/registered-client.ts';
import { judgedClaimNames } from '../../grants/decide/policy.ts';
import type { AdminSettings } from '../../operations/admin/admin-settings.ts';
import { claimPath } from '../../upstream/claims/claim-mapping.ts';
import type { Offered } from '../../upstream/upstream.ts';
import type { UpstreamSettings } from '../../upstream/upstream-settings.ts';

/** The same for the groups that open the admin API: they have to be in the tokens that operators bring. */
export function operatorFindings(
  upstream: UpstreamSettings,
  admin: AdminSettings | undefined,
  offered: Offered,
): string[] {
  if (admin?.by !== 'upstream' || admin.upstream !== upstream.id || isListed(upstream, 'groups', offered)) return [];
  const claim = claimPath(upstream, 'groups');
  return [
    `operations.admin needs ${claim}, which it does not list (claims_supported): where its tokens are without, no operator is ` +
      'let in. A scope or a mapper there adds it, claims.groups of this upstream says where it is',
  ];
}

/**
 * Claims that clients need and that an upstream does not list, in words. Many send more than they list, so it is no fault;
 * but a policy on a claim that never comes lets nobody approve.
 */
export function claimFindings(
  upstream: UpstreamSettings,
  clients: readonly RegisteredClient[],
  { claims, scopes }: Offered,
): string[] {
  const here = clients.filter((client) => client.upstreams.includes(upstream.id));
  const found: string[] = [];
  for (const client of here) {
    const judged = judgedClaimNames(client);
    if (judged.includes('groups') && scopes?.includes('groups') === true && !upstream.scopes.includes('groups')) {
      found.push(`approvers of ${client.id} need groups, and its scope groups is not asked for: add groups to scopes`);
    }
    const isThere = (name: string) => isListed(upstream, name, { claims });
    const unknown = judged.filter((name) => !isThere(name)).map((name) => claimPath(upstream, name));
    if (unknown.length > 0) {
      found.push(
        `approvers of ${client.id} need ${unknown.join(', ')}, which it does not list (claims_supported): where it does not send it, ` +
          'nobody may approve. A scope or a mapper there adds it, claims: of this upstream says where it is',
      );
    }
    const { standard, idToken, accessToken } = client.claims;
    const copied = standard === true ? [] : [...new Set([...idToken, ...accessToken])];
    const lost = copied
      .filter((name) => !judged.includes(name) && !isThere(name))
      .map((name) => claimPath(upstream, name));
    if (lost.length > 0) {
      const what = `claims of ${client.id} name ${lost.join(', ')}, which it does not list (claims_supported)`;
      found.push(`${what}: where it does not send it, tokens go without`);
    }
  }
  return found;
}

/** Also where it lists nothing at all, which says nothing. */
function isListed(upstream: UpstreamSettings, name: string, { claims }: Pick<Offered, 'claims'>): boolean {
  const path = claimPath(upstream, name);
  return claims === undefined || claims.includes(path) || claims.includes(path.split('.')[0] ?? path);
}
