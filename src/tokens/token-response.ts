import { formatScope } from '../oauth/scope.ts';
import type { Secret } from '../sealing/secret.ts';
import type { IssuedTokens } from './mint-tokens.ts';

/**
 * Members of an upstream's answer that are never passed on: ours, so that its refresh token cannot get out, and the
 * ones of an error, since some clients take any answer with `error` for one.
 */
const OURS: ReadonlySet<string> = new Set([
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'],
  ...['error', 'error_description', 'error_uri', 'interval', '__proto__'],
]);

/**
 * The token response as it goes over the wire (RFC 6749 §5.1): here secrets leave their wrapping.
 * `scope` is always said, so that no device has to remember what it asked for.
 */
export function tokenResponse(tokens: IssuedTokens, refreshToken?: Secret): Record<string, unknown> {
  const members = Object.entries(tokens.members ?? {}).filter(([name]) => !OURS.has(name));
  return {
    access_token: tokens.accessToken.reveal(),
    token_type: tokens.tokenType,
    ...(tokens.expiresInSeconds === undefined ? {} : { expires_in: tokens.expiresInSeconds }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken.reveal() }),
    ...(tokens.idToken === undefined ? {} : { id_token: tokens.idToken.reveal() }),
    scope: formatScope(tokens.scopes),
    ...Object.fromEntries(members),
  };
}
