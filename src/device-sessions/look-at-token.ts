import { answerEntry, endedEntry, refreshEntry, sessionEntry, usedEntry } from '../grants/entry-names.ts';
import { type DeviceSession, openSession } from './device-session.ts';
import { endSession } from './end-session.ts';
import { openAnswer } from './refresh-answer.ts';
import { type Carried, openRefreshEntry } from './refresh-entry.ts';
import { markThatEnds } from './refresh-policy.ts';
import type { RefreshGround, RefreshOutcome, RefreshRequest } from './refresh-session.ts';
import { isRefreshToken, type RefreshToken } from './refresh-token.ts';

/** A retry within this time gets the same answer again; what comes later is somebody else's copy. */
export const GRACE_MS = 30 * 1000;

export interface UnusedToken {
  state: 'unused';
  session: DeviceSession;
  carried: Carried;
  nowMs: number;
}

type Look = UnusedToken | { state: 'answered'; outcome: RefreshOutcome };

const INVALID: Look = { state: 'answered', outcome: { outcome: 'invalid_grant' } };

/**
 * How a refresh token stands now; everything but its rotation is decided here. Whoever is not its client, or lacks its
 * DPoP key, changes nothing by asking.
 */
export async function lookAtToken(ground: RefreshGround, request: RefreshRequest, token: RefreshToken): Promise<Look> {
  const { ledger, sealing } = ground;
  const { sessionId: id, n } = token;
  const { nowMs, values } = await ledger.read([
    sessionEntry(id),
    refreshEntry(id, n),
    usedEntry(id, n),
    answerEntry(id, n),
    endedEntry(id),
  ]);
  const [stored, refresh, used, answer, ended] = values;
  if (stored === undefined) return INVALID;
  const session = await openSession(id, stored, sealing);
  const isTheirs = session.clientId === request.client.id && session.issuer === request.issuer;
  const isBound = session.jkt === undefined || session.jkt === request.jkt;
  if (!isTheirs || !isBound || ended !== undefined) return INVALID;

  if (used !== undefined) {
    const [, hash = '', usedAtMs] = sealing.check(usedEntry(id, n), used).split('|');
    if (!isRefreshToken(token, hash)) return INVALID;
    if (answer !== undefined && nowMs - Number(usedAtMs) <= GRACE_MS) {
      // A mark counts at once (I6), for an answer that was given before it too.
      if ((await markThatEnds(ground, request, session)) !== undefined) return INVALID;
      const kept = await openAnswer(token, answer, sealing);
      // A proof beside a session that is not bound binds the access token alone; another key gets nothing of it.
      return kept.jkt === request.jkt
        ? { state: 'answered', outcome: { outcome: 'tokens', answer: kept.answer, session } }
        : INVALID;
    }
    if (await endSession(ground, session, 'reuse', token)) ground.onEnded(session, 'reuse');
    return INVALID;
  }
  if (refresh === undefined) return INVALID;
  const carried = await openRefreshEntry(token, refresh, sealing);
  return carried === undefined ? INVALID : { state: 'unused', session, carried, nowMs };
}
