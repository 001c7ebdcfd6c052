import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { JWK } from 'jose';

export type CertificateMembers = Pick<JWK, 'x5c' | 'x5t' | 'x5t#S256'>;

/** Certificates above the first one; real chains have two or three. */
const MAX_CHAIN = 10;

/** What a JWK says of its certificates (RFC 7517 §4.7–4.9), for verifiers that trust a CA and not an address. */
export function certificateMembers({ x5c, x5t, 'x5t#S256': x5tS256 }: JWK): CertificateMembers {
  return {
    ...(x5c !== undefined && { x5c }),
    ...(x5t !== undefined && { x5t }),
    ...(x5tS256 !== undefined && { 'x5t#S256': x5tS256 }),
  };
}

/**
 * What does not fit in them, as the end of a sentence that begins with the key.
 *
 * @param publicKey of the JWK; the first certificate must be for it
 */
export function certificateFault(jwk: Readonly<Record<string, unknown>>, publicKey: KeyObject): string | undefined {
  const { x5c, x5t, 'x5t#S256': x5tS256 } = jwk;
  const chain = x5c === undefined ? [] : readChain(x5c);
  if (chain === undefined) return 'has an "x5c" that is no list of certificates in base64';
  const [own] = chain;
  if (own !== undefined && !own.publicKey.equals(publicKey)) {
    return 'has an "x5c" whose first certificate is for another key';
  }
  for (const [name, algorithm, value] of [
    ['x5t', 'sha1', x5t],
    ['x5t#S256', 'sha256', x5tS256],
  ] as const) {
    if (value === undefined) continue;
    if (typeof value !== 'string') return `has an "${name}" that is no text`;
    const isOwn = own === undefined || createHash(algorithm).update(own.raw).digest('base64url') === value;
    if (!isOwn) return `has an "${name}" that is not the thumbprint of its certificate`;
  }
  return undefined;
}

/** Base64, unlike everything else in a JWK. */
function readChain(x5c: unknown): X509Certificate[] | undefined {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > MAX_CHAIN) return undefined;
  try {
    return x5c.map((text) => {
      if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Error('not base64');
      return new X509Certificate(Buffer.from(text, 'base64'));
    });
  } catch {
    return undefined;
  }
}
