import { decodeProtectedHeader } from 'jose';
import { openSession } from '../../device-sessions/device-session.ts';
import {
  decisionEntry,
  grantEntry,
  newestChainedEntries,
  refreshCountMark,
  refreshEntry,
  sessionEntry,
} from '../../ledger/entry-keys.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { inBatches } from '../../ledger/look-through.ts';
import { createSealing, SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { SealingKeyMissingError, type SealingSettings, sealingKey } from '../../sealing/sealing-keys.ts';
import { redisStorage } from '../../storage/redis/redis-storage.ts';
import type { RedisSettings } from '../../storage/storage.ts';

export interface OldKey {
  /** Its place in `keys.sealing`; `undefined` where it is not there, though entries name it. */
  index: number | undefined;
  name: string;
  /** How many grants and device sessions could not go on without it. */
  entries: number;
}

/** As `sealingKey` makes them; what somebody else wrote into Redis names none. */
const KEY_NAME = /^[A-Za-z0-9_-]{6}$/;

/**
 * For each sealing key after the first: what still names it, so that an administrator knows when it can go. And for each
 * that is named and is not there, since what names it cannot go on.
 */
export async function countOldSealingKeys(redis: RedisSettings, { keys }: SealingSettings): Promise<OldKey[]> {
  const known = keys.map((key, index) => ({ index, name: sealingKey(key).name, entries: 0 }));
  const byName = new Map<string, OldKey>(known.map((key) => [key.name, key]));
  const sealing = createSealing(keys);
  const storage = redisStorage(redis);
  const { ledger } = storage;
  await storage.open();
  try {
    for await (const names of inBatches(ledger.ids('session'), (id) => namesInSession(id, ledger, sealing))) {
      count(names);
    }
    for await (const names of inBatches(ledger.ids('grant'), (id) => namesInGrant(id, ledger))) count(names);
  } finally {
    await storage.close();
  }
  return [...byName.values()].filter(({ index }) => index !== 0);

  function count(names: ReadonlySet<string>): void {
    for (const name of names) {
      if (!KEY_NAME.test(name)) continue;
      const key = byName.get(name) ?? { index: undefined, name, entries: 0 };
      byName.set(name, { ...key, entries: key.entries + 1 });
    }
  }
}

/** Of a grant without a session; the others are counted as sessions, which outlive their grants. */
async function namesInGrant(id: string, ledger: Ledger): Promise<Set<string>> {
  const { values } = await ledger.read([grantEntry(id), decisionEntry(id), sessionEntry(id)]);
  const [grant, decision, session] = values;
  const names = new Set<string>();
  if (grant === undefined || session !== undefined) return names;
  names.add(grant.split('|').at(-2) ?? '');
  // Another replica may have decided, under the key that came first there.
  if (decision !== undefined) names.add(nameInSeal(decision));
  return names;
}

/** The keys that a session was sealed with, that its refresh chain is derived from, and that sealed its last refresh. */
async function namesInSession(id: string, ledger: Ledger, sealing: Sealing): Promise<Set<string>> {
  const [turns = 0] = await ledger.marks([refreshCountMark(id)]);
  const { values } = await ledger.read([sessionEntry(id), refreshEntry(id), ...newestChainedEntries(id, turns)]);
  const [session, refresh, ...chained] = values;
  const names = new Set<string>();
  if (session === undefined) return names;
  for (const sealed of [session, ...chained]) if (sealed !== undefined) names.add(nameInSeal(sealed));
  // Sealed and vouched for in one step, under one key.
  if (refresh !== undefined) names.add(refresh.split('|').at(-2) ?? '');
  try {
    names.add((await openSession(id, session, sealing)).keyName);
  } catch (error) {
    // What nobody can read any more needs no key.
    if (!(error instanceof SealBrokenError || error instanceof SealingKeyMissingError)) throw error;
  }
  return names;
}

function nameInSeal(stored: string): string {
  try {
    return String(decodeProtectedHeader(stored.slice(stored.lastIndexOf('|') + 1)).kid);
  } catch {
    return '';
  }
}
