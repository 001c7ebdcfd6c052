import { newAttempt } from '../../ledger/attempt.ts';
import { refusedWishEntry } from '../../ledger/entry-keys.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { RandomBytes } from '../../sealing/secret.ts';

/** A device asks for what it was given. Somebody who tries out what a stolen token is good for does not know that. */
const MAX_REFUSED_WISHES = 9;

/**
 * Notes that a live refresh token was shown with a scope or resource that was not approved: each time takes an entry that
 * is written once, so a burst buys no more than one at a time does.
 *
 * @param seconds for how long it counts: one access token's life
 * @returns `too_many` for the tenth in that time
 */
export async function noteRefusedWish(
  { ledger, randomBytes }: { ledger: Ledger; randomBytes: RandomBytes },
  sessionId: string,
  seconds: number,
  nowMs: number,
): Promise<'noted' | 'too_many'> {
  const keys = Array.from({ length: MAX_REFUSED_WISHES }, (_, index) => refusedWishEntry(sessionId, index + 1));
  const { values } = await ledger.read(keys);
  for (const [index, key] of keys.entries()) {
    if (values[index] !== undefined) continue;
    const attempt = newAttempt(randomBytes);
    const write = { key, value: `${attempt}|`, expiresAtMs: nowMs + seconds * 1000 };
    if ((await ledger.commit({ attempt, writes: [write] })).outcome === 'won') return 'noted';
  }
  return 'too_many';
}
