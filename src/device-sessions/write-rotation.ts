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
import { type Change, StorageUnavailableError } from '../grants/ledger.ts';
import { COMMIT_WITHIN_MS, type IssuedAnswer } from '../grants/redeem-grant.ts';
import { userinfoEntries } from '../grants/userinfo-entry.ts';
import type { DeviceSession } from './device-session.ts';
import { GRACE_MS } from './look-at-token.ts';
import { sealAnswer } from './refresh-answer.ts';
import { type Carried, sealRefreshEntry } from './refresh-entry.ts';
import type { RefreshGround } from './refresh-session.ts';
import { type RefreshToken, refreshTokenHash } from './refresh-token.ts';

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

/**
 * For at least a minute, and so often that a write nearly always waits for the storage already when it is back: who came
 * first then, with a lease that has lapsed meanwhile, would spend the upstream's token a second time.
 */
const WRITE_TRIES = 240;
const WRITE_EVERY_MS = 250;

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
  const attempt = newAttempt(ground.randomBytes);
  try {
    return await writeOnce(ground, rotation, attempt);
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    if (rotation.carried.approval.upstreamTokens === undefined) throw error;
    // The upstream may have spent its refresh token for this answer: without it the session would be lost.
    void writeLater(ground, rotation, attempt);
    throw new WrittenLaterError(error.message, { cause: error });
  }
}

async function writeOnce(
  ground: RefreshGround,
  rotation: Rotation,
  attempt: string,
): Promise<'written' | 'ended' | 'too_late'> {
  const { ledger } = ground;
  const { token, session, nowMs } = rotation;
  const [change, readyAtMs] = await Promise.all([changeOf(ground, rotation, attempt), ledger.now()]);
  // Else a command that sat out an outage in a queue would say that the token was used long ago, and the retry of a
  // device that was told to come again would pass for reuse.
  const committed = await ledger.commit({ ...change, notAfterMs: readyAtMs + COMMIT_WITHIN_MS });
  if (committed.outcome === 'lost') return 'too_late';
  if (committed.outcome === 'refused') {
    if (committed.because === 'late') throw new StorageUnavailableError('the rotation came too late to be written');
    return 'ended';
  }
  await Promise.all([
    ledger.raise(lastUsedMark(session.id), nowMs, session.endsAtMs),
    ledger.raise(turnsMark(session.id), token.n + 1, session.endsAtMs),
  ]);
  return 'written';
}

async function changeOf(ground: RefreshGround, rotation: Rotation, attempt: string): Promise<Change> {
  const { sealing } = ground;
  const { client, token, next, session, carried, issued, jti, jkt, nowMs } = rotation;
  const { id, endsAtMs } = session;
  const { n } = token;
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
        value: await sealAnswer(token, { jkt, answer: issued.answer }, sealing),
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

/** Dated anew at each try: the device's grace begins when there is an answer to be had. */
async function writeLater(ground: RefreshGround, rotation: Rotation, attempt: string): Promise<void> {
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    await ground.sleep(WRITE_EVERY_MS);
    try {
      await writeOnce(ground, { ...rotation, nowMs: await ground.ledger.now() }, attempt);
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) return;
    }
  }
}
