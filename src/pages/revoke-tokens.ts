import { Secret } from '../sealing/secret.ts';
import type { Upstream } from '../upstream/upstream.ts';

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
