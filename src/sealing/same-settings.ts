import { isDeepStrictEqual } from 'node:util';
import { Secret } from './secret.ts';

/** Whether two slices say the same, secrets included: what did not change can be carried over a reload. */
export function isSameSettings(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(withRevealed(one), withRevealed(other));
}

/** To `isDeepStrictEqual` all secrets are alike, since it does not see into them. */
function withRevealed(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(withRevealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withRevealed(inner)]));
}
