import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface VerifiedTokens {
  subject: string;
  algorithm: string;
}

/**
 * Checks a token response as an API would: metadata of the issuer, its keys, signatures, issuer, audience, type and time.
 *
 * @throws where anything does not check
 */
export async function verifyTokens(issuer: string, clientId: string, response: unknown): Promise<VerifiedTokens> {
  const { access_token: accessToken, id_token: idToken } = response as Record<string, unknown>;
  if (typeof accessToken !== 'string' || typeof idToken !== 'string') {
    throw new Error('there is no access token, or no ID token');
  }
  const metadata = (await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()) as {
    jwks_uri: string;
  };
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const access = await jwtVerify(accessToken, keys, {
    issuer,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'aud', 'exp', 'jti'],
  });
  const id = await jwtVerify(idToken, keys, { issuer, audience: clientId, requiredClaims: ['sub', 'exp'] });
  if (access.payload.sub !== id.payload.sub) throw new Error('access token and ID token are about different people');
  return { subject: access.payload.sub ?? '', algorithm: access.protectedHeader.alg };
}
