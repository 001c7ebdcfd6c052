import { Secret } from '../../sealing/secret.ts';
import type { UpstreamTokens } from '../upstream.ts';

/** A token endpoint's answer (RFC 6749 §5.1) after openid-client looked at it. */
export interface TokenAnswer {
  access_token: string;
  token_type: string;
  expires_in?: number;
  scope?: string;
  id_token?: string;
  refresh_token?: string;
  [member: string]: unknown;
}

export function tokensOf(answer: TokenAnswer): UpstreamTokens {
  const { access_token, token_type, expires_in, scope, id_token, refresh_token, ...members } = answer;
  return {
    accessToken: new Secret(access_token),
    // openid-client lowers it; some clients compare it with the capital that RFC 6750 writes.
    tokenType: token_type === 'bearer' ? 'Bearer' : token_type,
    ...(expires_in !== undefined && { expiresInSeconds: expires_in }),
    ...(scope !== undefined && { scopes: scope.split(' ').filter((word) => word !== '') }),
    ...(id_token !== undefined && { idToken: new Secret(id_token) }),
    ...(refresh_token !== undefined && { refreshToken: new Secret(refresh_token) }),
    members,
  };
}
