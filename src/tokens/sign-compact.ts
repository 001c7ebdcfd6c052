import { type KeyObject, sign } from 'node:crypto';
import type { SigningAlg } from './signing-key-set.ts';

/**
 * A JWT in compact form (RFC 7515 §7.1, RFC 7518 §3.3 and §3.4), straight over node:crypto: Web Crypto, over which jose
 * signs, takes longer for the same signature. RSA is done in the thread pool, so that polls do not wait for it; handing
 * an ES256 signature over would cost more than half of making it.
 */
export async function signCompact(
  { alg, ...header }: { alg: SigningAlg; typ: string; kid: string },
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject,
): Promise<string> {
  const signed = `${encoded({ alg, ...header })}.${encoded(claims)}`;
  const bytes = Buffer.from(signed);
  // A JWS has the two numbers of an ECDSA signature side by side, not in DER.
  const signature =
    alg === 'ES256' ? sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }) : await signBeside(bytes, key);
  return `${signed}.${signature.toString('base64url')}`;
}

function signBeside(bytes: Buffer, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', bytes, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
  });
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
