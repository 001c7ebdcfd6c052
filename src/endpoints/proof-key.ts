import { decodeProtectedHeader, type JWK } from 'jose';

/** 65537; a caller's own long exponent makes a signature cost as much as forty others. */
const EXPONENT = 'AQAB';
const MIN_RSA_BITS = 2048;
/** A key of 4096 bits costs a third of a millisecond, and each doubling four times that. */
const MAX_RSA_BITS = 4096;

/**
 * Whether the key in a proof is one that a signature may be checked with. It is the caller's own choice and nobody has
 * to have a code or a token to send one, so what it may cost is decided before anything is computed with it.
 */
export function hasUsableKey(proof: string): boolean {
  const key = keyIn(proof);
  if (key === undefined || 'd' in key || 'k' in key) return false;
  if (key.kty !== 'RSA') return true;
  const bits = bitsOf(key.n);
  return key.e === EXPONENT && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS;
}

function keyIn(proof: string): JWK | undefined {
  try {
    const { jwk } = decodeProtectedHeader(proof);
    return typeof jwk === 'object' && jwk !== null ? jwk : undefined;
  } catch {
    return undefined;
  }
}

/** The length of a number; what stands before its first one counts for nothing. */
function bitsOf(number: unknown): number {
  const bytes = typeof number === 'string' ? Buffer.from(number, 'base64url') : Buffer.alloc(0);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
