import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval, ApprovedUpstreamTokens } from '../ledger/approval.ts';
import { uniteScopes } from '../oauth/scope.ts';
import { Secret } from '../sealing/secret.ts';
import { mintIdToken } from './id-token.ts';
import type { IssuedTokens } from './mint-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface RelayInput {
  client: RegisteredClient;
  issuer: string;
  approval: Approval;
  /** From the approval, or fresh from a refresh. */
  upstreamTokens: ApprovedUpstreamTokens | undefined;
  /** What was granted, which for relay is what the upstream granted. */
  scopes: readonly string[];
  sessionId: string;
  nowMs: number;
  /** Whether the device gets a refresh token beside it, and so can help itself when the rest of the life is short. */
  hasRefreshToken: boolean;
  /** Whether an ID token goes with it where `openid` is granted. */
  hasIdToken?: boolean;
}

export type RelayOutcome =
  | { outcome: 'relayed'; tokens: IssuedTokens }
  /** Nothing that would still be of use; the device starts again, as after `expired_token`. */
  | { outcome: 'expired' };

/** A token that ends within this time has ended before the device can use it. */
const MIN_LIFE_MS = 30 * 1000;

/**
 * The upstream's access token as it came. Its own life runs from the sign-in, so what is left of it is reckoned anew;
 * never 0, which some clients read as "does not expire".
 *
 * The ID token is ours: the upstream's own was made for Gatehouse's client there, and a device that accepted it would
 * accept one from any of that upstream's clients.
 */
export async function relayTokens(signingKeys: SigningKeys, input: RelayInput): Promise<RelayOutcome> {
  const { client, issuer, approval, upstreamTokens, scopes, sessionId, nowMs, hasRefreshToken } = input;
  const { hasIdToken = true } = input;
  // Without one, the client was switched from mint to relay after the approval.
  if (upstreamTokens?.accessToken === undefined) return { outcome: 'expired' };
  const { expiresAtMs, tokenType, members } = upstreamTokens;
  const leftMs = expiresAtMs === undefined ? undefined : expiresAtMs - nowMs;
  if (leftMs !== undefined && leftMs < MIN_LIFE_MS && !hasRefreshToken) return { outcome: 'expired' };

  const accessToken = new Secret(upstreamTokens.accessToken);
  let idToken: Secret | undefined;
  if (hasIdToken && client.relayIdToken) {
    idToken = upstreamTokens.idToken === undefined ? undefined : new Secret(upstreamTokens.idToken);
  } else if (hasIdToken && scopes.includes('openid')) {
    idToken = await mintIdToken(signingKeys, { client, issuer, approval, scopes, sessionId, nowMs, accessToken });
  }
  return {
    outcome: 'relayed',
    tokens: {
      accessToken,
      tokenType: tokenType.toLowerCase() === 'bearer' ? 'Bearer' : tokenType,
      ...(leftMs === undefined ? {} : { expiresInSeconds: Math.max(1, Math.floor(leftMs / 1000)) }),
      scopes: toldScopes(scopes, upstreamTokens.scopes),
      ...(idToken === undefined ? {} : { idToken }),
      members,
    },
  };
}

/**
 * What the token can do, which may be more than was asked: the person was shown all of it. The two scopes that are about
 * what comes beside an access token are said as they were granted, not as the upstream happens to list them.
 */
function toldScopes(granted: readonly string[], told: readonly string[] = granted): string[] {
  const besides = ['openid', 'offline_access'].filter((scope) => granted.includes(scope));
  return uniteScopes(
    told.filter((scope) => scope !== 'offline_access'),
    besides,
  );
}
