import { createHash, hkdfSync } from 'node:crypto';
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

export function hkdf(material: Uint8Array, salt: Uint8Array | string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, `gatehouse ${purpose}`, bytes));
}

export interface SealingSettings {
  /** 32 bytes in base64url each; the first seals, all open. */
  keys: readonly Secret[];
}
