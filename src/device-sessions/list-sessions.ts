import { endedEntry, lastUsedMark, refreshEntry, sessionEntry } from '../ledger/entry-keys.ts';
import { inBatches } from '../ledger/look-through.ts';
import { type SessionOwner, subjectIndexesOf } from '../ledger/subject-index.ts';
import { isUnreadable } from '../ledger/versioned-seal.ts';
import { type EndedBy, endedBy, type SessionsDeps } from './active-session.ts';
import { type DeviceSession, openSession } from './device-session.ts';
import { decodeRefreshState } from './refresh/refresh-state.ts';
import { latestName, nameEntries } from './rename-session.ts';

export interface ListedSession {
  session: DeviceSession;
  /** What the person called it. */
  name: string | undefined;
  /** The last refresh, or the redemption. */
  lastUsedAtMs: number;
  /** `undefined` while the device may go on; `idle`: not refreshed for longer than `refresh_idle`. */
  ended: EndedBy | 'idle' | undefined;
}

/** The device sessions of one person, the last used first. Ended ones stay until their entries lapse. */
export async function listSessions(deps: SessionsDeps, owner: SessionOwner): Promise<ListedSession[]> {
  const { ledger, sealing } = deps;
  const indexes = subjectIndexesOf(sealing, owner);
  const ids = new Set((await Promise.all(indexes.map((index) => ledger.listed(index)))).flat());
  const found: ListedSession[] = [];
  for await (const listed of inBatches(ids, (id) => ownSession(deps, id, owner))) {
    if (listed !== undefined) found.push(listed);
  }
  return found.sort((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
}

/** Everybody's, in no order; for administrators. */
export async function* listAllSessions(deps: SessionsDeps): AsyncGenerator<ListedSession> {
  for await (const listed of inBatches(deps.ledger.ids('session'), (id) => lookAtSession(deps, id))) {
    if (listed !== undefined) yield listed;
  }
}

/** One session of this person; `undefined` where there is none, or where it is somebody else's: told apart nowhere. */
export async function ownSession(
  deps: SessionsDeps,
  id: string,
  owner: SessionOwner,
): Promise<ListedSession | undefined> {
  const listed = await lookAtSession(deps, id);
  return listed !== undefined && isOwner(listed.session, owner) ? listed : undefined;
}

/** One session of anybody; `undefined` where an index names a session that was never written, or that has lapsed. */
export async function lookAtSession(deps: SessionsDeps, id: string): Promise<ListedSession | undefined> {
  const { ledger, sealing } = deps;
  const { nowMs, values } = await ledger.read([
    ...[sessionEntry(id), endedEntry(id), refreshEntry(id)],
    ...nameEntries(id),
  ]);
  const [stored, ended, refresh, ...names] = values;
  if (stored === undefined) return undefined;
  try {
    const session = await openSession(id, stored, sealing);
    const refreshedAtMs =
      refresh === undefined ? await lastUsedBefore(id) : decodeRefreshState(id, refresh, sealing).madeAtMs;
    const lastUsedAtMs = Math.max(refreshedAtMs, session.startedAtMs);
    return {
      session,
      name: await latestName(id, names, sealing),
      lastUsedAtMs,
      ended: (await endedBy(deps, session, ended)) ?? (isIdle(session, lastUsedAtMs, nowMs) ? 'idle' : undefined),
    };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    deps.onUnreadable(id, error);
    return undefined;
  }

  /** Of a session that has ended, or that release 0.1.0 refreshed last. */
  async function lastUsedBefore(id: string): Promise<number> {
    const [lastUsed = 0] = await ledger.marks([lastUsedMark(id)]);
    return lastUsed;
  }

  function isIdle(session: DeviceSession, lastUsedAtMs: number, nowMs: number): boolean {
    const client = deps.clients.get(session.clientId);
    return client !== undefined && nowMs >= lastUsedAtMs + client.lifetimes.refreshIdleSeconds * 1000;
  }
}

function isOwner(session: DeviceSession, { upstream, subject }: SessionOwner): boolean {
  return session.upstream === upstream && session.subject === subject;
}
