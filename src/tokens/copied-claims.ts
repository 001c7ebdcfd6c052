import { EMAIL_VERIFIED } from '../grants/decide/approver-conditions.ts';
import type { ClaimReading } from '../ledger/approval.ts';

/**
 * Claims that mean something to the protocol. They come from Gatehouse alone: an upstream's claim of the same name is
 * never copied, and a configuration that asks for one is refused.
 */
export const PROTOCOL_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['client_id', 'scope', 'cnf', 'typ', 'act', 'may_act', 'authorization_details', 'active', 'token_type'],
  ...['auth_time', 'acr', 'amr', 'azp', 'nonce', 'sid', 'events', 'at_hash', 'c_hash', 's_hash'],
  ...['_claim_names', '_claim_sources', 'sub_id', 'sub_jwk', '__proto__'],
]);

/** The part of an approval that claims are copied from. */
export interface ClaimSource {
  claims: Readonly<Record<string, unknown>>;
  groups?: ClaimReading | undefined;
  carriedGroups?: readonly string[] | undefined;
}

/**
 * Those of the named claims that the upstream sent. An e-mail address is never said without whether it was verified: an
 * upstream that does not say has not verified it, as far as anybody can tell.
 */
export function copiedClaims(names: readonly string[], source: ClaimSource): Record<string, unknown> {
  const copied = Object.fromEntries(
    names
      .filter((name) => !PROTOCOL_CLAIMS.has(name))
      .map((name) => [name, claimOf(name, source)] as const)
      .filter(([, value]) => value !== undefined),
  );
  return copied['email'] === undefined ? copied : { [EMAIL_VERIFIED]: false, ...copied };
}

/**
 * `groups` are the ones that policy judges too, or some of them, from wherever this upstream keeps them, so that what a
 * token says and what was judged cannot differ.
 */
function claimOf(name: string, { claims, groups, carriedGroups }: ClaimSource): unknown {
  if (name === 'groups') return carriedGroups ?? (groups === 'unreadable' ? undefined : groups);
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
