import type { EndGrantDeps } from '../grants/end-grant.ts';
import { MAX_RETENTION_MS } from '../grants/retention.ts';
import { type Mark, setMark } from '../grants/revocation-marks.ts';
import { afterAttempt, newAttempt } from '../ledger/attempt.ts';
import { killMarkEntry, killMarksIndex } from '../ledger/entry-keys.ts';
import { type Form, isUnreadable, openVersioned, sealVersioned } from '../ledger/versioned-seal.ts';

/** The marks that administrators set; a logout's have nobody who would look at them. */
export type KillMark = Extract<Mark, { mark: 'all' | 'client' | 'upstream' | 'subject' | 'source' }>;

/** A mark that was set. What is in force is the newest moment of all that are about the same. */
export interface SetKillMark {
  mark: KillMark;
  /** What was signed in before it has ended. */
  beforeMs: number;
  setAtMs: number;
  operator: string;
}

const FORM: Form = { kind: 'kill mark', format: 1 };
const MOMENT_DIGITS = 9;

/**
 * Sets a mark, which is in force on every replica at once, and keeps what it is about: sealed, since it may name a person.
 */
export async function setKillMark(
  { ledger, sealing, randomBytes }: EndGrantDeps,
  { mark, beforeMs, operator }: Omit<SetKillMark, 'setAtMs'>,
): Promise<SetKillMark> {
  const setAtMs = await ledger.now();
  const expiresAtMs = setAtMs + MAX_RETENTION_MS;
  await setMark({ ledger, sealing }, mark, beforeMs, expiresAtMs);
  // Ids in the order of time, so that a list needs no look at the entries that it does not show.
  const id = `${setAtMs.toString(36).padStart(MOMENT_DIGITS, '0')}-${randomBytes(9).toString('base64url')}`;
  const key = killMarkEntry(id);
  const set: SetKillMark = { mark, beforeMs, setAtMs, operator };
  const attempt = newAttempt(randomBytes);
  const value = `${attempt}|${await sealVersioned(sealing, FORM, set, key)}`;
  await ledger.commit({ attempt, writes: [{ key, value, expiresAtMs }] });
  await ledger.enlist(killMarksIndex(), id, expiresAtMs);
  return set;
}

/**
 * Those that were set, the newest first.
 *
 * @param after the `next` of the page before
 */
export async function listKillMarks(
  { ledger, sealing }: Pick<EndGrantDeps, 'ledger' | 'sealing'>,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<{ marks: SetKillMark[]; next: string | undefined }> {
  const ids = (await ledger.listed(killMarksIndex())).sort().reverse();
  const later = after === undefined ? ids : ids.filter((id) => id < after);
  const page = later.slice(0, limit);
  const marks: SetKillMark[] = [];
  for (const id of page) {
    const key = killMarkEntry(id);
    const [stored] = (await ledger.read([key])).values;
    if (stored === undefined) continue;
    try {
      marks.push(await openVersioned<SetKillMark>(sealing, FORM, afterAttempt(stored), key));
    } catch (error) {
      // The mark itself holds all the same; only what it is about cannot be told.
      if (!isUnreadable(error)) throw error;
    }
  }
  return { marks, next: page.length < later.length ? page.at(-1) : undefined };
}
