import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** A device's DPoP key (RFC 9449), and the proofs that it signs: right ones, unless a test changes them. */
export interface DpopKey {
  jwk: JWK;
  jkt: string;
  proof(facts: ProofFacts): Promise<string>;
}

export interface ProofFacts {
  method: string;
  address: string;
  nonce?: string | undefined;
  accessToken?: string | undefined;
  nowMs?: number;
  claims?: JWTPayload;
  header?: Record<string, unknown>;
}

export async function newDpopKey(alg = 'ES256'): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    jkt: await calculateJwkThumbprint(jwk),
    proof({ method, address, nonce, accessToken, nowMs = Date.now(), claims, header }) {
      return new SignJWT({
        htm: method,
        htu: address,
        jti: randomUUID(),
        iat: Math.floor(nowMs / 1000),
        ...(nonce === undefined ? {} : { nonce }),
        ...(accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
        ...claims,
      })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
        .sign(privateKey);
    },
  };
}
