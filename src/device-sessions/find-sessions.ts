import type { SessionsDeps } from './active-session.ts';
import { type ListedSession, listAllSessions, listSessions, lookAtSession } from './list-sessions.ts';
import { isAbout, ownersMeant, type SessionFilter } from './session-filter.ts';

/** The sessions that a filter is about, whenever they began. One person's are found without a look at everybody's. */
export async function* findSessions(sessions: SessionsDeps, filter: SessionFilter): AsyncGenerator<ListedSession> {
  const near = await sessionsNearby(sessions, filter);
  for await (const listed of near.length > 0 ? near : listAllSessions(sessions)) {
    if (isAbout(filter, listed)) yield listed;
  }
}

async function sessionsNearby(sessions: SessionsDeps, filter: SessionFilter): Promise<ListedSession[]> {
  if (filter.session !== undefined) {
    const listed = await lookAtSession(sessions, filter.session);
    return listed === undefined ? [] : [listed];
  }
  const found = await Promise.all(ownersMeant(filter).map((owner) => listSessions(sessions, owner)));
  return found.flat();
}
