import { lookThrough } from '../ledger/look-through.ts';
import type { SessionsDeps } from './active-session.ts';
import { lookAtSession } from './list-sessions.ts';

/** How many device sessions went on at about that moment. */
export interface SessionCount {
  byClient: ReadonlyMap<string, number>;
  /** Milliseconds since the epoch: when the last of them was looked at. */
  countedAtMs: number;
}

/** Of one piece: what a scrape may cost the storage, a few hundred milliseconds of one connection at the most. */
const LOOKED_AT = 1000;
/** However many ask, and however often. */
const PAUSE_MS = 2000;

/**
 * Counts the device sessions that go on, for operators. Nothing stored says how many: most end by their time, when no
 * process looks, and a number that each begin and end moved would be one key for everybody, wrong for good after the
 * first lost answer. So whoever asks pays: each call is answered with the last whole count, and looks at one more
 * piece of all sessions behind the answer. What nobody scrapes is not counted (decision 0039).
 *
 * @param sessions of the configuration in force
 * @param clock milliseconds since the epoch
 */
export function createSessionCount(
  sessions: () => Omit<SessionsDeps, 'onUnreadable'>,
  clock: () => number,
): () => SessionCount | undefined {
  let last: SessionCount | undefined;
  let byClient = new Map<string, number>();
  let next: string | undefined;
  let isLooking = false;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  function beginAnew(): void {
    byClient = new Map();
    next = undefined;
  }

  async function lookOn(): Promise<void> {
    // What cannot be read goes on for nobody; `sessions list` tells of it.
    const deps = { ...sessions(), onUnreadable: () => undefined };
    const piece = await lookThrough(deps.ledger, 'session', { from: next, limit: LOOKED_AT }, async (id) => {
      const listed = await lookAtSession(deps, id);
      return listed !== undefined && listed.ended === undefined ? listed.session.clientId : undefined;
    });
    for (const client of piece?.found ?? []) byClient.set(client, (byClient.get(client) ?? 0) + 1);
    next = piece?.next;
    if (piece !== undefined && next === undefined) last = { byClient, countedAtMs: clock() };
    if (next === undefined) beginAnew();
  }

  return () => {
    const sinceMs = clock() - lookedAtMs;
    if (!isLooking && (sinceMs >= PAUSE_MS || sinceMs < 0)) {
      isLooking = true;
      lookedAtMs = clock();
      // With the storage away the age of the last count tells.
      void lookOn()
        .catch(beginAnew)
        .finally(() => {
          isLooking = false;
        });
    }
    return last;
  };
}
