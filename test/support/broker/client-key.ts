import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** The key of a client that authenticates by `private_key_jwt`, and the assertions that it signs. */
export interface ClientKey {
  /** Public, as the configuration has it. */
  jwk: JWK;
  assertion(facts: AssertionFacts): Promise<string>;
}

export interface AssertionFacts {
  clientId: string;
  audience: string | string[];
  nowMs?: number;
  claims?: JWTPayload;
  header?: Record<string, unknown>;
}

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export async function newClientKey(alg = 'ES256'): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    jwk,
    assertion({ clientId, audience, nowMs = Date.now(), claims, header }) {
      const nowSeconds = Math.floor(nowMs / 1000);
      const usual = { iss: clientId, sub: clientId, aud: audience, iat: nowSeconds, exp: nowSeconds + 60 };
      return new SignJWT({ ...usual, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg, kid, typ: 'client-authentication+jwt', ...header })
        .sign(privateKey);
    },
  };
}
