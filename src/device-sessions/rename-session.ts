import { isVisibleLine } from '../grants/start/visible-line.ts';
import { afterAttempt, newAttempt } from '../ledger/attempt.ts';
import { endedEntry, sessionEntry, sessionNameEntry } from '../ledger/entry-keys.ts';
import { UnreadableFormatError } from '../ledger/grant.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Form, openVersioned, sealVersioned } from '../ledger/versioned-seal.ts';
import type { Sealing } from '../sealing/sealing.ts';
import type { RandomBytes } from '../sealing/secret.ts';
import type { DeviceSession } from './device-session.ts';

export type RenameOutcome =
  | { outcome: 'renamed' }
  /** Not a line that people can read. */
  | { outcome: 'bad_name' }
  /** Renamed `MAX_NAMES` times already. */
  | { outcome: 'too_often' }
  | { outcome: 'ended' };

const FORM: Form = { kind: 'name', format: 1 };

/** Each name is an entry that is written once; the last one counts. */
const MAX_NAMES = 32;

/**
 * Gives a session a name of the person's own. Only call it with a session of that person (`ownSession`).
 *
 * @param name '' takes the name away again
 */
export async function renameSession(
  deps: { ledger: Ledger; sealing: Sealing; randomBytes: RandomBytes },
  session: DeviceSession,
  name: string,
): Promise<RenameOutcome> {
  const { ledger, sealing, randomBytes } = deps;
  const { id } = session;
  const trimmed = name.trim();
  if (trimmed !== '' && !isVisibleLine(trimmed)) return { outcome: 'bad_name' };
  const { values } = await ledger.read(nameEntries(id));
  const last = values.findLastIndex((stored) => stored !== undefined);
  for (let n = last + 2; n <= MAX_NAMES; n += 1) {
    const key = sessionNameEntry(id, n);
    const attempt = newAttempt(randomBytes);
    const value = `${attempt}|${await sealVersioned(sealing, FORM, trimmed, key)}`;
    const written = await ledger.commit({
      attempt,
      writes: [{ key, value, expiresAtMs: session.endsAtMs }],
      requires: [sessionEntry(id)],
      unless: [endedEntry(id)],
    });
    if (written.outcome === 'won') return { outcome: 'renamed' };
    if (written.outcome === 'refused') return { outcome: 'ended' };
    // Somebody named it at the same moment; of two names the later one counts.
  }
  return { outcome: 'too_often' };
}

/** All the places where a name can be, the first name first. */
export function nameEntries(id: string): string[] {
  return Array.from({ length: MAX_NAMES }, (_, index) => sessionNameEntry(id, index + 1));
}

/** @param names what stands at `nameEntries` */
export async function latestName(
  id: string,
  names: readonly (string | undefined)[],
  sealing: Sealing,
): Promise<string | undefined> {
  const last = names.findLastIndex((stored) => stored !== undefined);
  const stored = names[last];
  if (stored === undefined) return undefined;
  const sealed = afterAttempt(stored);
  try {
    const name = await openVersioned<string>(sealing, FORM, sealed, sessionNameEntry(id, last + 1));
    return name === '' ? undefined : name;
  } catch (error) {
    // A session is worth being shown without a name that another release gave it.
    if (error instanceof UnreadableFormatError) return undefined;
    throw error;
  }
}
