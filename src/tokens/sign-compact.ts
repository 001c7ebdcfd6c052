import { type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto';
import type { SigningAlg } from './signing-key-set.ts';

/**
 * A JWT in compact form (RFC 7515 §7.1, RFC 7518 §3.3 and §3.4), straight over node:crypto: Web Crypto, over which jose
 * signs, takes half as much again for the same signature. It is made in the thread pool, so polls do not wait for RSA.
 */
export function signCompact(
  { alg, ...header }: { alg: SigningAlg; typ: string; kid: string },
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject,
): Promise<string> {
  const signed = `${encoded({ alg, ...header })}.${encoded(claims)}`;
  // A JWS has the two numbers of an ECDSA signature side by side, not in DER.
  const input: KeyObject | SignKeyObjectInput = alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key;
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(signed), input, (error, signature) => {
      if (error === null) resolve(`${signed}.${signature.toString('base64url')}`);
      else reject(error);
    });
  });
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
