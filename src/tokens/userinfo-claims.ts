import type { RegisteredClient } from '../clients/registered-client.ts';
import { tokenClaims } from '../grants/decide/client-claims.ts';
import { type ClaimSource, copiedClaims } from './copied-claims.ts';

/**
 * The userinfo answer for a minted token with `openid` (OpenID Connect Core §5.3.2): the token's own `sub`, and what the
 * ID token has of the person.
 *
 * @param source the approval; or the access token's claims, which are the same wherever `claims` is one list
 */
export function userinfoClaims(
  client: Pick<RegisteredClient, 'claims'>,
  scopes: readonly string[],
  sub: string,
  source: ClaimSource,
): Record<string, unknown> {
  return { ...copiedClaims(tokenClaims(client, scopes).idToken, source), sub };
}
