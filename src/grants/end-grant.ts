import { newAttempt } from '../ledger/attempt.ts';
import { type EndReason, encodeEnded } from '../ledger/ended.ts';
import { endedEntry, newestChainedEntries, refreshCountMark, refreshEntry } from '../ledger/entry-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Sealing } from '../sealing/sealing.ts';
import type { RandomBytes } from '../sealing/secret.ts';

export interface EndGrantDeps {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
}

/**
 * Ends a grant, and the device session that it has or would have become, and deletes what that carried, in one step: an
 * outage leaves both or neither. Against a redemption or refresh that runs at the same time: either that one finds the
 * mark and nothing is issued, or what it wrote is deleted.
 *
 * @param untilMs the end of the session if there is one, else the latest end that one made now could have: a mark that
 *   lapsed earlier would bring the session back
 * @returns whether this call ended it
 */
export async function endGrant(
  deps: EndGrantDeps,
  id: string,
  reason: EndReason,
  untilMs: number,
): Promise<{ hasEnded: boolean }> {
  const removes = [refreshEntry(id), ...(await chainedEntries(deps.ledger, id))];
  return { hasEnded: await writeEnded(deps, id, reason, untilMs, removes) };
}

/**
 * The same for a caller who can open what was carried. Only who ended it gets the entry, since who comes second would
 * delete what the first has still to open and revoke.
 *
 * @returns the refresh entry as it stood: claims and the upstream's tokens, sealed to the newest refresh token
 */
export async function endGrantAndTake(
  deps: EndGrantDeps,
  id: string,
  reason: EndReason,
  untilMs: number,
): Promise<{ hasEnded: boolean; refresh?: string | undefined }> {
  const { ledger } = deps;
  if (!(await writeEnded(deps, id, reason, untilMs, []))) return { hasEnded: false };
  const refresh = await ledger.take(refreshEntry(id));
  if (refresh === undefined) {
    await Promise.all((await chainedEntries(ledger, id)).map((entry) => ledger.take(entry)));
  }
  return { hasEnded: true, refresh };
}

async function writeEnded(
  { ledger, sealing, randomBytes }: EndGrantDeps,
  id: string,
  reason: EndReason,
  untilMs: number,
  removes: readonly string[],
): Promise<boolean> {
  const key = endedEntry(id);
  const attempt = newAttempt(randomBytes);
  const value = encodeEnded(sealing, id, { attempt, reason, atMs: await ledger.now() });
  const ended = await ledger.commit({ attempt, writes: [{ key, value, expiresAtMs: untilMs }], removes });
  return ended.outcome === 'won';
}

/** What release 0.1.0 kept of a session. */
async function chainedEntries(ledger: Ledger, id: string): Promise<string[]> {
  const [turns = 0] = await ledger.marks([refreshCountMark(id)]);
  return newestChainedEntries(id, turns);
}
