import { lookThrough } from '../ledger/look-through.ts';
import type { SessionsDeps } from './active-session.ts';
import { type ListedSession, listSessions, lookAtSession } from './list-sessions.ts';
import { isAbout, ownersMeant, type SessionFilter } from './session-filter.ts';

export interface SessionsPiece {
  sessions: ListedSession[];
  next: string | undefined;
}

/**
 * Some of the sessions that a filter is about, as `lookThrough` finds them. One person's come whole.
 *
 * @returns `undefined` where `from` cannot have been given out, or leads no further
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

  const piece = await lookThrough(deps.ledger, 'session', { from, limit }, async (id) => {
    const listed = await lookAtSession(deps, id);
    return listed !== undefined && isMeant(listed) ? listed : undefined;
  });
  return piece && { sessions: piece.found, next: piece.next };
}
