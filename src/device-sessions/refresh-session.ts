import type { RegisteredClient } from '../clients/registered-client.ts';
import { newAttempt, type RandomBytes } from '../grants/device-code.ts';
import {
  answerEntry,
  endedEntry,
  lastUsedMark,
  refreshEntry,
  refreshingLease,
  sessionEntry,
  turnsMark,
  usedEntry,
} from '../grants/entry-names.ts';
import { type Ledger, StorageUnavailableError } from '../grants/ledger.ts';
import type { TokenAnswer } from '../grants/redeem-grant.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import type { Secret } from '../sealing/secret.ts';
import { type AskUpstream, askUpstream } from './ask-upstream.ts';
import { type DeviceSession, openSession } from './device-session.ts';
import { endSession } from './end-session.ts';
import { type Carried, openRefreshEntry, sealRefreshEntry } from './refresh-entry.ts';
import { judgeRefresh } from './refresh-policy.ts';
import {
  formatRefreshToken,
  isRefreshToken,
  nextRefreshToken,
  parseRefreshToken,
  type RefreshToken,
  refreshTokenHash,
} from './refresh-token.ts';

export interface RefreshGround {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  sourcePrefixes: (address: string) => readonly string[];
  upstreams: AskUpstream;
  issueTokens: IssueRefreshed;
  sleep: (milliseconds: number) => Promise<void>;
  /** A token that was used before came again, later than a retry would: the session has been ended. */
  onReuse: (session: DeviceSession) => void;
}

export interface RefreshRequest {
  client: RegisteredClient;
  refreshToken: Secret;
  /** `undefined` for all that the session has. */
  scopes: readonly string[] | undefined;
  resources: readonly string[];
  /** The thumbprint of the DPoP key that came along, '' without one. */
  jkt: string;
  issuer: string | undefined;
}

export type IssueRefreshed = (facts: {
  client: RegisteredClient;
  session: DeviceSession;
  carried: Carried;
  scopes: readonly string[];
  resources: readonly string[];
  jti: string;
  nowMs: number;
  /** The DPoP key that the access token is bound to. */
  jkt: string | undefined;
  refreshToken: Secret;
}) => Promise<TokenAnswer>;

export type RefreshOutcome =
  | { outcome: 'tokens'; answer: TokenAnswer; session: DeviceSession }
  | { outcome: 'invalid_grant' | 'invalid_scope' | 'invalid_target' }
  /** The upstream, or another refresh of the same token, does not answer; the token is still good. */
  | { outcome: 'unavailable' };

/** A retry within this time gets the same answer again; what comes later is somebody else's copy. */
const GRACE_MS = 30 * 1000;
const LEASE_MS = 15 * 1000;
const WAIT_MS = 5 * 1000;
const LOOK_EVERY_MS = 100;
/** How long an answer that the upstream has already given is tried to be written after a storage fault. */
const WRITE_TRIES = 60;

const INVALID: RefreshOutcome = { outcome: 'invalid_grant' };
const UNAVAILABLE: RefreshOutcome = { outcome: 'unavailable' };

/**
 * Refreshes a device session (RFC 6749 §6). The successor follows from the token itself, so of two hundred callers with
 * one token each gets the same answer: one of them takes the lease, asks the upstream and writes `used`, successor and
 * sealed answer in one step; the others wait for that answer.
 */
export async function refreshSession(ground: RefreshGround, request: RefreshRequest): Promise<RefreshOutcome> {
  const token = parseRefreshToken(request.refreshToken.reveal());
  if (token === undefined) return INVALID;
  const lease = refreshingLease(token.sessionId, token.n);
  const leaseName = newAttempt(ground.randomBytes);
  try {
    for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      const found = await look(ground, request, token);
      if (found.state === 'answered') return found.outcome;
      if (await ground.ledger.lease(lease, leaseName, LEASE_MS)) {
        try {
          // Between the look and the lease somebody else may have finished.
          const again = await look(ground, request, token);
          return again.state === 'answered' ? again.outcome : await rotate(ground, request, token, again);
        } finally {
          await ground.ledger.release(lease, leaseName);
        }
      }
      await ground.sleep(LOOK_EVERY_MS);
    }
    return UNAVAILABLE;
  } catch (error) {
    if (error instanceof SealBrokenError) return INVALID;
    throw error;
  }
}

type Look =
  | { state: 'answered'; outcome: RefreshOutcome }
  | { state: 'unused'; session: DeviceSession; carried: Carried; nowMs: number };

/** How a token stands now; everything but its rotation is decided here. */
async function look(ground: RefreshGround, request: RefreshRequest, token: RefreshToken): Promise<Look> {
  const { ledger, sealing } = ground;
  const { sessionId: id, n } = token;
  const answered = (outcome: RefreshOutcome): Look => ({ state: 'answered', outcome });

  const { nowMs, values } = await ledger.read([
    sessionEntry(id),
    refreshEntry(id, n),
    usedEntry(id, n),
    answerEntry(id, n),
    endedEntry(id),
  ]);
  const [stored, refresh, used, answer, ended] = values;
  if (stored === undefined) return answered(INVALID);
  const session = await openSession(id, stored, sealing);
  const isTheirs = session.clientId === request.client.id && session.issuer === request.issuer;
  const isBound = session.jkt === undefined || session.jkt === request.jkt;
  if (!isTheirs || !isBound || ended !== undefined) return answered(INVALID);

  if (used !== undefined) {
    const [, hash = '', usedAtMs] = sealing.check(usedEntry(id, n), used).split('|');
    if (!isRefreshToken(token, hash)) return answered(INVALID);
    if (answer !== undefined && nowMs - Number(usedAtMs) <= GRACE_MS) {
      const tokens = (await sealing.open(answer, answerEntry(id, n), formatRefreshToken(token))) as TokenAnswer;
      return answered({ outcome: 'tokens', answer: tokens, session });
    }
    await endSession(ground, session, 'reuse', token);
    ground.onReuse(session);
    return answered(INVALID);
  }
  if (refresh === undefined) return answered(INVALID);
  const carried = await openRefreshEntry(token, refresh, sealing);
  return carried === undefined ? answered(INVALID) : { state: 'unused', session, carried, nowMs };
}

async function rotate(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
  found: Look & { state: 'unused' },
): Promise<RefreshOutcome> {
  const { sealing } = ground;
  const { client } = request;
  const { session, nowMs } = found;

  const judged = await judgeRefresh(ground, request, session, found.carried, nowMs);
  if (judged.verdict !== 'allowed') return { outcome: judged.verdict };

  const asked = await askUpstream(ground.upstreams, client, found.carried, nowMs);
  if (asked.outcome === 'unavailable') return UNAVAILABLE;
  if (asked.outcome === 'gone') {
    await endSession(ground, session, 'upstream', token);
    return INVALID;
  }
  const { carried } = asked;
  if ((await judgeRefresh(ground, request, session, carried, nowMs)).verdict !== 'allowed') return INVALID;

  const next = nextRefreshToken(token, session.keyName, sealing);
  const answer = await ground.issueTokens({
    client,
    session,
    carried,
    ...judged,
    jti: sealing.derive(session.keyName, 'refreshed jti', token.secret, 16).toString('base64url'),
    nowMs,
    jkt: request.jkt === '' ? undefined : request.jkt,
    refreshToken: formatRefreshToken(next),
  });
  return write(ground, { request, token, next, session, carried, answer, nowMs });
}

interface Rotation {
  request: RefreshRequest;
  token: RefreshToken;
  next: RefreshToken;
  session: DeviceSession;
  carried: Carried;
  answer: TokenAnswer;
  nowMs: number;
}

async function write(ground: RefreshGround, rotation: Rotation): Promise<RefreshOutcome> {
  const { ledger, sealing } = ground;
  const { token, next, session, carried, answer, nowMs } = rotation;
  const { sessionId: id, n } = token;
  const attempt = newAttempt(ground.randomBytes);
  const usableUntilMs = Math.min(session.endsAtMs, nowMs + rotation.request.client.lifetimes.refreshIdleSeconds * 1000);
  const commit = {
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
        value: await sealing.seal(answer, answerEntry(id, n), formatRefreshToken(token)),
        expiresAtMs: nowMs + GRACE_MS,
      },
    ],
    requires: [sessionEntry(id)],
    unless: [endedEntry(id)],
    // What it carried is sealed to the successor now; the hash that reuse is told by is in `used`.
    removes: [refreshEntry(id, n)],
  } as const;
  try {
    const committed = await ledger.commit(commit);
    if (committed.outcome === 'refused') return INVALID;
    if (committed.outcome === 'lost') {
      // Our lease had lapsed; who was faster has written the answer for everybody.
      const found = await look(ground, rotation.request, token);
      return found.state === 'answered' ? found.outcome : UNAVAILABLE;
    }
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    // The upstream may have spent its refresh token for this answer: without it the session would be lost.
    if (carried.approval.upstreamTokens !== undefined) void writeLater(ground, () => ledger.commit(commit));
    throw error;
  }
  await Promise.all([
    ledger.raise(lastUsedMark(id), nowMs, session.endsAtMs),
    ledger.raise(turnsMark(id), n + 1, session.endsAtMs),
  ]);
  return { outcome: 'tokens', answer, session };
}

async function writeLater(ground: RefreshGround, commit: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    await ground.sleep(1000);
    try {
      await commit();
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) throw error;
    }
  }
}
