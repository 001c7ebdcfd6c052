import { createHash, createHmac } from 'node:crypto';
import type { Secret } from './secret.ts';

/** One sealing key: 32 bytes, known by a short name that every stored value carries. */
export interface SealingKey {
  name: string;
  /** A key for one purpose; different purposes never share key bytes. */
  derive(purpose: string, salt?: Uint8Array | string, bytes?: number): Buffer;
}

/** A value names a sealing key that this process does not have: not forged, but not readable here and now. */
export class SealingKeyMissingError extends Error {
  override readonly name = 'SealingKeyMissingError';
}

const KEY_BYTES = 32;
const HASH_BYTES = 32;
const NAME_LENGTH = 6;

export function sealingKey(key: Secret): SealingKey {
  const bytes = Buffer.from(key.reveal(), 'base64url');
  if (bytes.length !== KEY_BYTES) {
    throw new RangeError(`a sealing key has ${KEY_BYTES} bytes, this one ${bytes.length}`);
  }
  const name = createHash('sha256').update('gatehouse sealing key name').update(bytes).digest('base64url');
  const known = new Map<string, Buffer>();
  return {
    name: name.slice(0, NAME_LENGTH),
    derive(purpose, salt = '', length = KEY_BYTES) {
      if (salt !== '') return hkdf(bytes, salt, purpose, length);
      const cacheKey = `${length} ${purpose}`;
      let derived = known.get(cacheKey);
      if (derived === undefined) {
        derived = hkdf(bytes, salt, purpose, length);
        known.set(cacheKey, derived);
      }
      return derived;
    },
  };
}

export function isKeyName(text: string): boolean {
  return /^[\w-]{6}$/.test(text);
}

/**
 * HKDF with SHA-256 (RFC 5869) for up to one hash of output: extract and expand are one HMAC each. Node's own answers
 * the same bytes at more than twice the price, and a refresh derives some thirty keys.
 */
export function hkdf(material: Uint8Array, salt: Uint8Array | string, purpose: string, bytes: number): Buffer {
  if (bytes > HASH_BYTES) throw new RangeError(`${bytes} bytes are more than one hash has`);
  const key = createHmac('sha256', salt).update(material).digest();
  return createHmac('sha256', key).update(`gatehouse ${purpose}\u0001`).digest().subarray(0, bytes);
}

export interface SealingSettings {
  /** 32 bytes in base64url each; the first seals, all open. */
  keys: readonly Secret[];
}
