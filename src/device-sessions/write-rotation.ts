import type { RegisteredClient } from '../clients/registered-client.ts';
import { newAttempt } from '../grants/device-code.ts';
import {
  answerEntry,
  endedEntry,
  lastUsedMark,
  refreshEntry,
  sessionEntry,
  turnsMark,
  usedEntry,
} from '../grants/entry-names.ts';
import { type Change, type CommitOutcome, StorageUnavailableError } from '../grants/ledger.ts';
import type { IssuedAnswer } from '../grants/redeem-grant.ts';
import { userinfoEntries } from '../grants/userinfo-entry.ts';
import type { DeviceSession } from './device-session.ts';
import { GRACE_MS } from './look-at-token.ts';
import { type Carried, sealRefreshEntry } from './refresh-entry.ts';
import type { RefreshGround } from './refresh-session.ts';
import { formatRefreshToken, type RefreshToken, refreshTokenHash } from './refresh-token.ts';

export interface Rotation {
  client: RegisteredClient;
  token: RefreshToken;
  next: RefreshToken;
  session: DeviceSession;
  carried: Carried;
  issued: IssuedAnswer;
  jti: string;
  /** The DPoP key that came along, '' without one. */
  jkt: string;
  nowMs: number;
}

/** The storage failed; the write goes on in the background. `cause` is what the caller is told. */
export class WrittenLaterError extends Error {
  override readonly name = 'WrittenLaterError';
}

/** How long, in seconds, an answer that the upstream has already given is tried to be written after a storage fault. */
const WRITE_TRIES = 60;

/**
 * Turns token n into token n+1: `used`, successor and sealed answer stand or fall together, and only while the session
 * has not ended.
 *
 * @returns `too_late` where somebody else has turned it
 */
export async function writeRotation(
  ground: RefreshGround,
  rotation: Rotation,
): Promise<'written' | 'ended' | 'too_late'> {
  const { ledger } = ground;
  const { token, session, carried, nowMs } = rotation;
  const change = await changeOf(ground, rotation);
  let committed: CommitOutcome;
  try {
    committed = await ledger.commit(change);
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    if (carried.approval.upstreamTokens === undefined) throw error;
    // The upstream may have spent its refresh token for this answer: without it the session would be lost.
    void writeLater(ground, change);
    throw new WrittenLaterError(error.message, { cause: error });
  }
  if (committed.outcome === 'refused') return 'ended';
  if (committed.outcome === 'lost') return 'too_late';
  await Promise.all([
    ledger.raise(lastUsedMark(session.id), nowMs, session.endsAtMs),
    ledger.raise(turnsMark(session.id), token.n + 1, session.endsAtMs),
  ]);
  return 'written';
}

async function changeOf(ground: RefreshGround, rotation: Rotation): Promise<Change> {
  const { sealing } = ground;
  const { client, token, next, session, carried, issued, jti, jkt, nowMs } = rotation;
  const { id, endsAtMs } = session;
  const { n } = token;
  const attempt = newAttempt(ground.randomBytes);
  const usableUntilMs = Math.min(endsAtMs, nowMs + client.lifetimes.refreshIdleSeconds * 1000);
  return {
    attempt,
    writes: [
      {
        key: usedEntry(id, n),
        value: sealing.vouch(usedEntry(id, n), `${attempt}|${refreshTokenHash(token)}|${nowMs}`),
        expiresAtMs: usableUntilMs,
      },
      {
        key: refreshEntry(id, n + 1),
        value: await sealRefreshEntry(attempt, next, carried, sealing),
        expiresAtMs: usableUntilMs,
      },
      {
        key: answerEntry(id, n),
        value: await sealing.seal([jkt, issued.answer], answerEntry(id, n), formatRefreshToken(token)),
        expiresAtMs: nowMs + GRACE_MS,
      },
      ...(await userinfoEntries(sealing, { id, jti, atMs: nowMs, endsAtMs }, issued)),
    ],
    requires: [sessionEntry(id)],
    unless: [endedEntry(id)],
    // What it carried is sealed to the successor now; the hash that reuse is told by is in `used`.
    removes: [refreshEntry(id, n)],
  };
}

async function writeLater(ground: RefreshGround, change: Change): Promise<void> {
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    await ground.sleep(1000);
    try {
      await ground.ledger.commit(change);
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) return;
    }
  }
}
