import { createRemoteJWKSet, jwtVerify } from 'jose';

const issuer = process.env.ISSUER;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

/** Throws where the token is not for us. */
export async function verifyAccessToken(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience: process.env.AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['RS256', 'ES256'],
    requiredClaims: ['sub', 'exp', 'client_id'],
  });
  if (payload.cnf !== undefined) throw new Error('bound to a key: a DPoP proof must come with it');
  return payload;
}
