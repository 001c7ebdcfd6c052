import type { RegisteredClient } from '../clients/registered-client.ts';
import { newAttempt, type RandomBytes } from '../grants/device-code.ts';
import type { EndReason } from '../grants/end-grant.ts';
import { refreshingLease } from '../grants/entry-names.ts';
import type { Ledger } from '../grants/ledger.ts';
import type { IssuedAnswer, TokenAnswer } from '../grants/redeem-grant.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import { type AskUpstream, askUpstream } from './ask-upstream.ts';
import type { DeviceSession } from './device-session.ts';
import { endSession } from './end-session.ts';
import { lookAtToken, type UnusedToken } from './look-at-token.ts';
import type { Carried } from './refresh-entry.ts';
import { judgeRefresh } from './refresh-policy.ts';
import { formatRefreshToken, nextRefreshToken, parseRefreshToken, type RefreshToken } from './refresh-token.ts';
import { WrittenLaterError, writeRotation } from './write-rotation.ts';

export interface RefreshGround {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  sourcePrefixes: (address: string) => readonly string[];
  upstreams: AskUpstream;
  issueTokens: IssueRefreshed;
  sleep: (milliseconds: number) => Promise<void>;
  /** A session was found to have ended, and is ended for good now. */
  onEnded: (session: DeviceSession, reason: EndReason) => void;
}

export interface RefreshRequest {
  client: RegisteredClient;
  refreshToken: Secret;
  /** `undefined` for all that the session has. */
  scopes: readonly string[] | undefined;
  resources: readonly string[];
  /** The thumbprint of the DPoP key that came along, '' without one. */
  jkt: string;
  /** Called once the token is known to be one of ours; throws when its proof was used before. */
  spendProof: () => Promise<void>;
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
}) => Promise<IssuedAnswer>;

export type RefreshOutcome =
  | { outcome: 'tokens'; answer: TokenAnswer; session: DeviceSession }
  | { outcome: 'invalid_grant' | 'invalid_scope' | 'invalid_target' }
  /** The upstream, or another refresh of the same token, does not answer; the token is still good. */
  | { outcome: 'unavailable' };

const LEASE_MS = 15 * 1000;
const WAIT_MS = 5 * 1000;
const LOOK_EVERY_MS = 100;

const INVALID: RefreshOutcome = { outcome: 'invalid_grant' };
const UNAVAILABLE: RefreshOutcome = { outcome: 'unavailable' };

/**
 * Refreshes a device session (RFC 6749 §6). The successor follows from the token itself, so of two hundred callers with
 * one token each gets the same answer: one of them takes the lease, asks the upstream and writes `used`, successor and
 * sealed answer in one step; the others wait for that answer.
 *
 * @throws {StorageUnavailableError}
 * @throws {SealingKeyMissingError} when a key is away; nothing was written then
 */
export async function refreshSession(ground: RefreshGround, request: RefreshRequest): Promise<RefreshOutcome> {
  const token = parseRefreshToken(request.refreshToken.reveal());
  if (token === undefined) return INVALID;
  try {
    for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      const found = await lookAtToken(ground, request, token);
      if (waitedMs === 0 && (found.state !== 'answered' || found.outcome.outcome === 'tokens'))
        await request.spendProof();
      if (found.state === 'answered') return found.outcome;
      const outcome = await underLease(ground, request, token);
      if (outcome !== undefined) return outcome;
      await ground.sleep(LOOK_EVERY_MS);
    }
    return UNAVAILABLE;
  } catch (error) {
    if (error instanceof SealBrokenError) return INVALID;
    throw error;
  }
}

/** `undefined` where somebody else is at it. */
async function underLease(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
): Promise<RefreshOutcome | undefined> {
  const { ledger, randomBytes } = ground;
  const lease = refreshingLease(token.sessionId, token.n);
  const name = newAttempt(randomBytes);
  if (!(await ledger.lease(lease, name, LEASE_MS))) return undefined;
  let isWrittenLater = false;
  try {
    // Between the look and the lease somebody else may have finished.
    const found = await lookAtToken(ground, request, token);
    return found.state === 'answered' ? found.outcome : await rotate(ground, request, token, found);
  } catch (error) {
    isWrittenLater = error instanceof WrittenLaterError;
    throw error instanceof WrittenLaterError ? error.cause : error;
  } finally {
    // While an answer waits to be written, nobody may spend the upstream's token a second time.
    if (!isWrittenLater) await ledger.release(lease, name);
  }
}

async function rotate(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
  found: UnusedToken,
): Promise<RefreshOutcome> {
  const { ledger, sealing } = ground;
  const { client, jkt } = request;
  const { session } = found;

  const judged = await judgeRefresh(ground, request, session, found.carried, found.nowMs);
  if (judged.verdict === 'ended') return ended(ground, session, judged.by, token);
  if (judged.verdict !== 'allowed') return { outcome: judged.verdict };

  const asked = await askUpstream(ground.upstreams, client, found.carried, found.nowMs);
  if (asked.outcome === 'unavailable') return UNAVAILABLE;
  if (asked.outcome === 'gone') return ended(ground, session, 'upstream', token);
  const { carried } = asked;
  // The upstream may have taken its time: lifetimes start when the device gets the tokens.
  const nowMs = await ledger.now();
  const again = await judgeRefresh(ground, request, session, carried, nowMs);
  if (again.verdict !== 'allowed') {
    // What the upstream just said counts against the person, and its last token is spent: the session cannot go on.
    const { refreshToken } = carried.approval.upstreamTokens ?? {};
    if (refreshToken !== undefined) await ground.upstreams.revoke(session.upstream, new Secret(refreshToken));
    return ended(ground, session, again.verdict === 'ended' ? again.by : 'policy');
  }

  const next = nextRefreshToken(token, session.keyName, sealing);
  const jti = sealing.derive(session.keyName, 'refreshed jti', token.secret, 16).toString('base64url');
  const { scopes, resources } = again;
  const issued = await ground.issueTokens({
    ...{ client, session, carried, scopes, resources, jti, nowMs },
    jkt: jkt === '' ? undefined : jkt,
    refreshToken: formatRefreshToken(next),
  });
  const written = await writeRotation(ground, { client, token, next, session, carried, issued, jti, jkt, nowMs });
  switch (written) {
    case 'written':
      return { outcome: 'tokens', answer: issued.answer, session };
    case 'ended':
      return INVALID;
    case 'too_late': {
      // Our lease had lapsed; who was faster has written the answer for everybody.
      const now = await lookAtToken(ground, request, token);
      return now.state === 'answered' ? now.outcome : UNAVAILABLE;
    }
  }
}

async function ended(
  ground: RefreshGround,
  session: DeviceSession,
  reason: EndReason,
  token?: RefreshToken,
): Promise<RefreshOutcome> {
  if (await endSession(ground, session, reason, token)) ground.onEnded(session, reason);
  return INVALID;
}
