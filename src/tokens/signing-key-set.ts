import { createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { isJsonObject } from '../oauth/json-object.ts';
import { certificateFault } from './certificate-members.ts';
import { readPrivateJwk } from './private-jwk.ts';

/**
 * The set of signing keys as it stands in `keys.signing`: a private JWKS in which order means something. The first key
 * of each `alg` signs; all are published. `iat` says when a key was made, in seconds since the epoch.
 */
export type SigningAlg = 'RS256' | 'ES256';

export interface SigningKey extends JWK {
  kid: string;
  alg: SigningAlg;
  use: 'sig';
  iat?: number;
}

/** How long a key is published before it signs, so that whoever keeps a copy of /jwks has seen it by then. */
export const PUBLISHED_AHEAD_MS = 10 * 60 * 1000;

/** A key set that cannot be used; the message says what to mend and holds no part of a key. */
export class SigningKeySetError extends Error {
  override readonly name = 'SigningKeySetError';
}

/** The algorithms that a set can sign with, in the order of the set. */
export function algsOf(keys: readonly { alg: SigningAlg }[]): SigningAlg[] {
  return [...new Set(keys.map((key) => key.alg))];
}

const generate = promisify(generateKeyPair);

/**
 * A new private key. Its `kid` is half of its thumbprint (RFC 7638), in hex: it is typed in commands, and a base64url
 * one may begin with a dash.
 */
export async function makeSigningKey(alg: SigningAlg, nowMs: number): Promise<SigningKey> {
  const { privateKey } =
    alg === 'RS256' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  const thumbprint = Buffer.from(await calculateJwkThumbprint(jwk), 'base64url');
  const kid = thumbprint.subarray(0, 16).toString('hex');
  return { ...jwk, kid, alg, use: 'sig', iat: Math.floor(nowMs / 1000) };
}

/** @throws {SigningKeySetError} */
export function parseSigningKeySet(text: string): SigningKey[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file.
    throw new SigningKeySetError(
      'is not JSON; expected a private JWKS, as `gatehouse keys generate signing` writes it',
    );
  }
  const keys = isJsonObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new SigningKeySetError('has no "keys"; expected a private JWKS with at least one key');
  }
  return checkSigningKeys(keys);
}

/** @throws {SigningKeySetError} */
export function checkSigningKeys(keys: readonly unknown[]): SigningKey[] {
  const kids = new Set<unknown>();
  return keys.map((key, index) => {
    const refuse = (what: string): never => {
      throw new SigningKeySetError(`key ${index + 1} ${what}`);
    };
    if (!isJsonObject(key)) return refuse('is not a JWK');
    const { kid, alg, use, d, iat } = key;
    if (typeof kid !== 'string' || kid === '') return refuse('has no "kid"');
    if (kids.has(kid)) return refuse(`has the "kid" of another one: ${kid}`);
    kids.add(kid);
    if (alg !== 'RS256' && alg !== 'ES256') return refuse('has another "alg" than RS256 or ES256');
    if (use !== 'sig') return refuse('has another "use" than "sig"');
    if (typeof d !== 'string') return refuse('has no private part ("d")');
    if (iat !== undefined && typeof iat !== 'number') return refuse('has an "iat" that is not a number');
    const privateKey =
      readPrivateJwk(key) ?? refuse('is not a readable private key that signs what its public part verifies');
    const { modulusLength, namedCurve } = privateKey.asymmetricKeyDetails ?? {};
    if (alg === 'RS256' && !(privateKey.asymmetricKeyType === 'rsa' && Number(modulusLength) >= 2048)) {
      return refuse('is for RS256, which takes an RSA key of at least 2048 bits');
    }
    if (alg === 'ES256' && namedCurve !== 'prime256v1') return refuse('is for ES256, which takes a P-256 key');
    const fault = certificateFault(key, createPublicKey(privateKey));
    if (fault !== undefined) return refuse(fault);
    return key as unknown as SigningKey;
  });
}

export function formatSigningKeySet(keys: readonly SigningKey[]): string {
  return `${JSON.stringify({ keys }, undefined, 2)}\n`;
}
