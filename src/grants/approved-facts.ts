import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval } from './approval.ts';

/** What an upstream says of a person, as far as an approval keeps it. */
export interface SignedInPerson {
  subject: string;
  name?: string | undefined;
  email?: string | undefined;
  groups?: readonly string[] | undefined;
  claims: Readonly<Record<string, unknown>>;
}

/**
 * Of all that an upstream says, only what this client's configuration names, so that no other claim is ever stored.
 * `name`, `email` and `groups` are where the upstream's `claims:` setting says; the rest is taken by its own name.
 */
export function approvedFacts(
  client: RegisteredClient,
  person: SignedInPerson,
): Pick<Approval, 'subject' | 'upstreamSub' | 'account' | 'claims' | 'groups'> {
  const { name, email, groups, claims: others } = person;
  const said = new Map(Object.entries({ ...others, name, email, groups }));
  const claims = copiedClaimNames(client)
    .map((wanted) => [wanted, said.get(wanted)] as const)
    .filter(([, value]) => value !== undefined);
  const { sub } = others;
  return {
    subject: person.subject,
    ...(typeof sub === 'string' && sub !== person.subject ? { upstreamSub: sub } : {}),
    account: person.email ?? person.name ?? person.subject,
    claims: Object.fromEntries(claims),
    groups,
  };
}

/** The claims that a client's tokens may carry. */
export function copiedClaimNames(client: RegisteredClient): string[] {
  return [...new Set([...client.claims.idToken, ...client.claims.accessToken])];
}
