import type { EndGrantDeps } from '../grants/end-grant.ts';
import { MAX_RETENTION_MS } from '../grants/retention.ts';
import { type Mark, newestMark, setMark } from '../grants/revocation-marks.ts';
import { afterAttempt, newAttempt } from '../ledger/attempt.ts';
import { killMarkEntry, killMarksIndex } from '../ledger/entry-keys.ts';
import { inBatches } from '../ledger/look-through.ts';
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

export interface ListedKillMark extends SetKillMark {
  /** Not where the storage failed before the mark itself was written. */
  isInForce: boolean;
}

const FORM: Form = { kind: 'kill mark', format: 1 };
const MOMENT_DIGITS = 9;

/**
 * Keeps what a mark is about, sealed, since it may name a person; then sets it, which is in force on every replica at once.
 * In this order: an outage in between leaves a mark that is listed and not in force, and none that is in force and not
 * listed. To set it again does no harm.
 */
export async function setKillMark(
  { ledger, sealing, randomBytes }: EndGrantDeps,
  { mark, beforeMs, operator }: Omit<SetKillMark, 'setAtMs'>,
): Promise<SetKillMark> {
  const setAtMs = await ledger.now();
  const expiresAtMs = setAtMs + MAX_RETENTION_MS;
  // Ids in the order of time, so that a list needs no look at the entries that it does not show.
  const id = `${setAtMs.toString(36).padStart(MOMENT_DIGITS, '0')}-${randomBytes(9).toString('base64url')}`;
  const key = killMarkEntry(id);
  const set: SetKillMark = { mark, beforeMs, setAtMs, operator };
  const attempt = newAttempt(randomBytes);
  const value = `${attempt}|${await sealVersioned(sealing, FORM, set, key)}`;
  await ledger.commit({ attempt, writes: [{ key, value, expiresAtMs }] });
  await ledger.enlist(killMarksIndex(), id, expiresAtMs);
  await setMark({ ledger, sealing }, mark, beforeMs, expiresAtMs);
  return set;
}

/**
 * Those that were set, the newest first.
 *
 * @param after the `next` of the page before
 */
export async function listKillMarks(
  deps: Pick<EndGrantDeps, 'ledger' | 'sealing'>,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<{ marks: ListedKillMark[]; next: string | undefined }> {
  const ids = (await deps.ledger.listed(killMarksIndex())).sort().reverse();
  const later = after === undefined ? ids : ids.filter((id) => id < after);
  const page = later.slice(0, limit);
  const marks: ListedKillMark[] = [];
  for await (const mark of inBatches(page, (id) => lookAtKillMark(deps, id))) if (mark !== undefined) marks.push(mark);
  return { marks, next: page.length < later.length ? page.at(-1) : undefined };
}

async function lookAtKillMark(
  deps: Pick<EndGrantDeps, 'ledger' | 'sealing'>,
  id: string,
): Promise<ListedKillMark | undefined> {
  const key = killMarkEntry(id);
  const [stored] = (await deps.ledger.read([key])).values;
  if (stored === undefined) return undefined;
  try {
    const set = await openVersioned<SetKillMark>(deps.sealing, FORM, afterAttempt(stored), key);
    return { ...set, isInForce: (await newestMark(deps, set.mark)) >= set.beforeMs };
  } catch (error) {
    // The mark itself holds all the same; only what it is about cannot be told.
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}
