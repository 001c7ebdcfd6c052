import type { RandomBytes } from '../../sealing/secret.ts';
import type { TokenAnswer } from './redemption.ts';

export interface GivenAgain {
  /** Whether these are the tokens that went out before. */
  isSame: boolean;
  jti: string;
  /** When the tokens begin to live. */
  atMs: number;
  /** `expires_in` counts from the answer that carries it (RFC 6749 §5.1). */
  dated: (answer: TokenAnswer) => TokenAnswer;
}

/** A token that ends within this time has ended before a device can use it. */
const MIN_LIFE_MS = 30 * 1000;
const JTI_BYTES = 16;

/**
 * How an answer is made once more: for an equal request with the tokens of the first answer and the life that is left of
 * them; for another request, or where next to nothing is left, with new ones.
 */
export function againOf(first: {
  isEqual: boolean;
  firstAtMs: number;
  /** Where the tokens of the first answer are signed anew. */
  firstJti?: string;
  lifeSeconds: number;
  nowMs: number;
  randomBytes: RandomBytes;
}): GivenAgain {
  const { isEqual, firstAtMs, firstJti = '', lifeSeconds, nowMs, randomBytes } = first;
  const elapsedMs = Math.max(0, nowMs - firstAtMs);
  const isSame = isEqual && elapsedMs <= Math.max(0, lifeSeconds * 1000 - MIN_LIFE_MS);
  if (!isSame) {
    const jti = randomBytes(JTI_BYTES).toString('base64url');
    return { isSame, jti, atMs: nowMs, dated: (answer) => answer };
  }
  const dated = (answer: TokenAnswer): TokenAnswer => {
    const whole = answer['expires_in'];
    if (typeof whole !== 'number') return answer;
    return { ...answer, expires_in: Math.max(1, whole - Math.floor(elapsedMs / 1000)) };
  };
  return { isSame, jti: firstJti, atMs: firstAtMs, dated };
}
