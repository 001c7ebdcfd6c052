import type { EndGrantDeps } from '../grants/end-grant.ts';
import { afterAttempt, newAttempt } from '../ledger/attempt.ts';
import { announcedEndEntry, announcedEndsIndex } from '../ledger/entry-keys.ts';
import { type Form, openVersioned, sealVersioned } from '../ledger/versioned-seal.ts';

/**
 * That an administrator has ended something from outside the brokers. It is kept until a broker takes it into its log
 * and audit: the command's own output is nobody's record. Sealed, since it names people, and since whoever writes to the
 * storage must not write the audit.
 */
export interface AnnouncedEnd {
  client?: string | undefined;
  upstream?: string | undefined;
  subject?: string | undefined;
  account?: string | undefined;
  source?: string | undefined;
  sessionId?: string | undefined;
  device?: string | undefined;
  /** What was signed in before it has ended. */
  beforeMs: number;
  /** The user of the operating system who typed the command, and where. */
  operator: string;
  command: string;
}

/** How many sessions such a command has ended one by one, by client, which only the command knows; told when it is done. */
export interface AnnouncedCounts {
  counts: readonly (readonly [clientId: string, count: number])[];
}

const FORM: Form = { kind: 'announced end', format: 1 };
/** How long all brokers may be away before nobody logs it any more. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

export function announceEnd(deps: EndGrantDeps, end: AnnouncedEnd): Promise<void> {
  return announce(deps, end);
}

export async function announceCounts(deps: EndGrantDeps, counts: ReadonlyMap<string, number>): Promise<void> {
  if (counts.size > 0) await announce(deps, { counts: [...counts] });
}

async function announce(deps: EndGrantDeps, announced: AnnouncedEnd | AnnouncedCounts): Promise<void> {
  const { ledger, sealing, randomBytes } = deps;
  const id = randomBytes(16).toString('base64url');
  const attempt = newAttempt(randomBytes);
  const key = announcedEndEntry(id);
  const expiresAtMs = (await ledger.now()) + KEPT_MS;
  const value = `${attempt}|${await sealVersioned(sealing, FORM, announced, key)}`;
  await ledger.commit({ attempt, writes: [{ key, value, expiresAtMs }] });
  // After the entry: whoever finds the id finds the entry too.
  await ledger.enlist(announcedEndsIndex(), id, expiresAtMs);
}

/**
 * Reads what was announced since the last call. An announcement is taken out of the storage, so of all replicas one
 * tells it.
 *
 * @param onUnreadable for one that nobody here wrote
 */
export function createAnnouncedEndsReader(
  { ledger, sealing }: Pick<EndGrantDeps, 'ledger' | 'sealing'>,
  onUnreadable: (error: unknown) => void,
) {
  let seen = new Set<string>();
  return async function* read(): AsyncGenerator<AnnouncedEnd | AnnouncedCounts> {
    const ids = await ledger.listed(announcedEndsIndex());
    const fresh = ids.filter((id) => !seen.has(id));
    for (const id of fresh) {
      const key = announcedEndEntry(id);
      const stored = await ledger.take(key);
      if (stored === undefined) continue;
      try {
        yield await openVersioned<AnnouncedEnd | AnnouncedCounts>(sealing, FORM, afterAttempt(stored), key);
      } catch (error) {
        onUnreadable(error);
      }
    }
    seen = new Set(ids);
  };
}
