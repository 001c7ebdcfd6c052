import { refreshEntry, sessionEntry, usedEntry } from '../grants/entry-names.ts';
import type { Ledger } from '../grants/ledger.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { type DeviceSession, openSession } from './device-session.ts';
import { openRefreshEntry } from './refresh-entry.ts';
import { isRefreshToken, type RefreshToken } from './refresh-token.ts';

export interface FoundByToken {
  session: DeviceSession;
  /** `used`: it was right once, and has been exchanged for its successor. */
  token: 'current' | 'used';
}

/**
 * The session that a refresh token was made for, whether it has ended or not. Knowing a session's id is not enough: the
 * token itself must be one that was handed out.
 */
export async function findByRefreshToken(
  { ledger, sealing }: { ledger: Ledger; sealing: Sealing },
  token: RefreshToken,
): Promise<FoundByToken | undefined> {
  const { sessionId: id, n } = token;
  const [stored, refresh, used] = (await ledger.read([sessionEntry(id), refreshEntry(id, n), usedEntry(id, n)])).values;
  if (stored === undefined) return undefined;
  try {
    const session = await openSession(id, stored, sealing);
    if (used !== undefined) {
      const [, hash = ''] = sealing.check(usedEntry(id, n), used).split('|');
      return isRefreshToken(token, hash) ? { session, token: 'used' } : undefined;
    }
    if (refresh === undefined || (await openRefreshEntry(token, refresh, sealing)) === undefined) return undefined;
    return { session, token: 'current' };
  } catch (error) {
    if (error instanceof SealBrokenError) return undefined;
    throw error;
  }
}
