import type { RegisteredClient } from '../../clients/registered-client.ts';
import { getsRefreshTokens } from '../../grants/decide/policy.ts';
import type { ApprovedUpstreamTokens } from '../../ledger/approval.ts';
import { Secret } from '../../sealing/secret.ts';
import type { Upstream, UpstreamTokens } from '../../upstream/upstream.ts';

/**
 * What is needed later and no more: relay hands the tokens on; mint asks with the refresh token, at each refresh of its
 * own, whether the account still stands.
 *
 * @param atMs the moment of the upstream's answer
 */
export function keptTokens(
  client: RegisteredClient,
  tokens: UpstreamTokens,
  scopes: readonly string[],
  atMs: number,
): ApprovedUpstreamTokens | undefined {
  const { accessToken, tokenType, expiresInSeconds, idToken, refreshToken, members } = tokens;
  const kept = getsRefreshTokens(client, scopes) ? refreshToken?.reveal() : undefined;
  if (client.tokens === 'mint') {
    return kept === undefined ? undefined : { tokenType, refreshToken: kept, members: {} };
  }
  return {
    accessToken: accessToken.reveal(),
    tokenType,
    expiresAtMs: expiresInSeconds === undefined ? undefined : atMs + expiresInSeconds * 1000,
    scopes: tokens.scopes,
    idToken: client.relayIdToken ? idToken?.reveal() : undefined,
    refreshToken: kept,
    members,
  };
}

/**
 * Gives tokens back that nobody shall use. It runs beside the answer, which never waits for the upstream: a token that
 * could not be revoked is in nobody's hands either, and lapses.
 */
export function revokeTokens(
  upstream: Pick<Upstream, 'revoke'> | undefined,
  tokens: { accessToken?: Secret | string | undefined; refreshToken?: Secret | string | undefined } | undefined,
): void {
  if (upstream === undefined || tokens === undefined) return;
  const { accessToken, refreshToken } = tokens;
  // The refresh token first: where it goes, most upstreams end the access token with it (RFC 7009 §2.1).
  if (refreshToken !== undefined) upstream.revoke(secretOf(refreshToken), 'refresh_token').catch(() => undefined);
  if (accessToken !== undefined) upstream.revoke(secretOf(accessToken), 'access_token').catch(() => undefined);
}

function secretOf(token: Secret | string): Secret {
  return typeof token === 'string' ? new Secret(token) : token;
}
