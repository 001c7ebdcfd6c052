import type { SessionsDeps } from './active-session.ts';
import { inBatches, type ListedSession, listSessions, lookAtSession } from './list-sessions.ts';
import { isAbout, ownersMeant, type SessionFilter } from './session-filter.ts';

export interface SessionsPiece {
  sessions: ListedSession[];
  next: string | undefined;
}

/** Steps of one piece, each of as many keys as are wanted, and sessions that are opened for it: what a call may cost. */
export const MAX_STEPS = 50;
export const MAX_LOOKED_AT = 1000;

/**
 * Some of the sessions that a filter is about, in no order. It looks at so much of the storage and no more: a piece may be
 * empty and not the last one, and it may have some more than `limit`. One person's come whole.
 *
 * @returns `undefined` where `from` cannot have been given out
 */
export async function pieceOfSessions(
  deps: SessionsDeps,
  isWanted: (listed: ListedSession) => boolean,
  filter: SessionFilter,
  { from, limit }: { from: string | undefined; limit: number },
): Promise<SessionsPiece | undefined> {
  const isMeant = (listed: ListedSession) => isAbout(filter, listed) && isWanted(listed);
  const owners = from === undefined ? ownersMeant(filter) : [];
  const near = (await Promise.all(owners.map((owner) => listSessions(deps, owner)))).flat();
  if (near.length > 0) return { sessions: near.filter(isMeant), next: undefined };

  const sessions: ListedSession[] = [];
  let next = from;
  let lookedAt = 0;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const piece = await deps.ledger.idsFrom('session', next, limit);
    if (piece === undefined) return undefined;
    for await (const listed of inBatches(piece.ids, (id) => lookAtSession(deps, id))) {
      if (listed !== undefined && isMeant(listed)) sessions.push(listed);
    }
    next = piece.next;
    lookedAt += piece.ids.length;
    if (next === undefined || sessions.length >= limit || lookedAt >= MAX_LOOKED_AT) break;
  }
  return { sessions, next };
}
