import type { RegisteredClient } from '../clients/registered-client.ts';
import { endingMark } from '../grants/revocation-marks.ts';
import { decodeEnded, type EndReason } from '../ledger/ended.ts';
import { endedEntry, sessionEntry } from '../ledger/entry-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { type DeviceSession, openSession } from './device-session.ts';

/** What looking at sessions stands on. */
export interface SessionsDeps {
  ledger: Ledger;
  sealing: Sealing;
  clients: ReadonlyMap<string, RegisteredClient>;
  /** An entry that nobody here wrote, or whose key is gone; it is left out, or taken for ended. */
  onUnreadable: (sessionId: string, error: Error) => void;
}

export type EndedBy =
  | EndReason
  /** The client, or its way to that upstream, is no longer in the configuration. */
  | 'client_removed';

/**
 * The session of an access token, if it stands today (I6): not ended, its client still registered, and no kill switch
 * or logout set since the person signed in.
 */
export async function activeSession(deps: SessionsDeps, id: string): Promise<DeviceSession | undefined> {
  const [stored, ended] = (await deps.ledger.read([sessionEntry(id), endedEntry(id)])).values;
  if (stored === undefined || ended !== undefined) return undefined;
  try {
    const session = await openSession(id, stored, deps.sealing);
    return (await endedBy(deps, session, undefined)) === undefined ? session : undefined;
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    deps.onUnreadable(id, error);
    return undefined;
  }
}

/**
 * What has ended a session, by its own entry or by today's configuration and marks.
 *
 * @param ended what stands at `endedEntry`
 */
export async function endedBy(
  deps: SessionsDeps,
  session: DeviceSession,
  ended: string | undefined,
): Promise<EndedBy | undefined> {
  if (ended !== undefined) {
    return decodeEnded(deps.sealing, session.id, ended).reason;
  }
  const client = deps.clients.get(session.clientId);
  if (client === undefined || !client.upstreams.includes(session.upstream)) return 'client_removed';
  return endingMark(deps, {
    ...session,
    endsOnLogout: client.endOnLogout,
  });
}
