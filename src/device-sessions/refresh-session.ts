import type { RegisteredClient } from '../clients/registered-client.ts';
import { newAttempt, type RandomBytes } from '../grants/device-code.ts';
import type { EndReason } from '../grants/end-grant.ts';
import { presentedEntry, refreshingLease } from '../grants/entry-names.ts';
import type { Ledger } from '../grants/ledger.ts';
import type { IssuedAnswer, TokenAnswer } from '../grants/redeem-grant.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import { answerAgain } from './answer-again.ts';
import { type AskUpstream, askUpstream } from './ask-upstream.ts';
import type { DeviceSession } from './device-session.ts';
import { type BroughtToken, endSession } from './end-session.ts';
import { exchangeToken, WrittenLaterError } from './exchange-token.ts';
import { type CurrentToken, type FoundToken, findRefreshToken } from './find-refresh-token.ts';
import { judgeRefresh, type RefreshVerdict, wishOf } from './refresh-policy.ts';
import { type Carried, newSalt } from './refresh-state.ts';
import { formatRefreshToken, parseRefreshToken, type RefreshToken, successorOf } from './refresh-token.ts';
import { noteRefusedWish } from './refused-wishes.ts';

export interface RefreshGround {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  sourcePrefixes: (address: string) => readonly string[];
  isSameNetwork: (left: string, right: string) => boolean;
  upstreams: AskUpstream;
  issueTokens: IssueRefreshed;
  sleep: (milliseconds: number) => Promise<void>;
  /** A session was found to have ended, and is ended for good now. */
  onEnded: (session: DeviceSession, reason: EndReason, request: RefreshRequest) => void;
  /** An answer was given again to another network than the first one. */
  onShared: (session: DeviceSession, shared: { firstSource: string; source: string }, request: RefreshRequest) => void;
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
  /** The address that asks. */
  source: string;
  requestId?: string | undefined;
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
  /** `isAgain`: the token had been exchanged before, and its successor went out once more. */
  | {
      outcome: 'tokens';
      answer: TokenAnswer;
      session: DeviceSession;
      isAgain: boolean;
      firstSource?: string | undefined;
    }
  | { outcome: 'invalid_grant' | 'invalid_scope' | 'invalid_target' }
  /** The storage has lost what this token was made in; nothing of the session can go on. */
  | { outcome: 'lost' }
  /** The upstream, or another refresh of the same token, does not answer; the token is still good. */
  | { outcome: 'unavailable' };

const LEASE_MS = 15 * 1000;
const WAIT_MS = 5 * 1000;
const LOOK_EVERY_MS = 100;

export const INVALID: RefreshOutcome = { outcome: 'invalid_grant' };
const UNAVAILABLE: RefreshOutcome = { outcome: 'unavailable' };

/**
 * Refreshes a device session (RFC 6749 §6). The successor is settled before a token is ever shown, so of two hundred
 * callers with one token each gets the same one: the first to replace the session's state has exchanged it, the others
 * are answered as those whose answer was lost. Where the upstream is asked, one caller takes the lease and the others
 * wait: it must not be asked twice with one token.
 *
 * @throws {StorageUnavailableError}
 * @throws {SealingKeyMissingError} when a key is away; nothing was written then
 */
export async function refreshSession(ground: RefreshGround, request: RefreshRequest): Promise<RefreshOutcome> {
  const token = parseRefreshToken(request.refreshToken.reveal());
  if (token === undefined) return INVALID;
  try {
    for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      const found = await findRefreshToken(ground, token);
      if (found === undefined || found.hasEnded || !isHolder(found.session, request)) return INVALID;
      if (waitedMs === 0) await request.spendProof();
      const outcome = await answerPlaced(ground, request, token, found);
      if (outcome !== undefined) return outcome;
      await ground.sleep(LOOK_EVERY_MS);
    }
    return UNAVAILABLE;
  } catch (error) {
    if (error instanceof SealBrokenError) return INVALID;
    throw error;
  }
}

/** Whoever is not the token's client, or lacks its DPoP key, changes nothing by asking. */
function isHolder(session: DeviceSession, { client, issuer, jkt }: RefreshRequest): boolean {
  const isBound = session.jkt === undefined || session.jkt === jkt;
  return session.clientId === client.id && session.issuer === issuer && isBound;
}

/** `undefined` where somebody else is at it. */
async function answerPlaced(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken,
): Promise<RefreshOutcome | undefined> {
  const { session } = found;
  const brought = { token, carried: 'carried' in found ? found.carried : undefined };
  const end = (reason: EndReason) => endAndRefuse(ground, request, session, reason, brought);
  switch (found.place) {
    case 'spent':
      return end('reuse');
    case 'stray':
      await end('lost');
      return { outcome: 'lost' };
    case 'parent': {
      const isLate = found.nowMs - found.madeAtMs > request.client.refreshGraceSeconds * 1000;
      if (isLate || found.isSuccessorKnown) return end('reuse');
      break;
    }
    case 'current':
  }
  const judged = await judgeRefresh(ground, request, session, found.carried, found.nowMs);
  if (judged.verdict !== 'allowed') {
    if (found.place === 'current') await notePresented(ground, request, token, found);
    return refuse(ground, request, found, judged, end);
  }
  return found.place === 'parent'
    ? answerAgain(ground, request, found, judged, end)
    : exchange(ground, request, token, found, judged);
}

/** One answer for one wish, whether the token that it came with was exchanged already or not. */
async function refuse(
  ground: RefreshGround,
  request: RefreshRequest,
  { session, nowMs }: FoundToken,
  judged: Exclude<RefreshVerdict, { verdict: 'allowed' }>,
  end: (reason: EndReason) => Promise<RefreshOutcome>,
): Promise<RefreshOutcome> {
  switch (judged.verdict) {
    case 'ended':
      return end(judged.by);
    case 'invalid_grant':
      return INVALID;
    case 'invalid_scope':
    case 'invalid_target': {
      const { accessTokenSeconds } = request.client.lifetimes;
      const noted = await noteRefusedWish(ground, session.id, accessTokenSeconds, nowMs);
      return noted === 'noted' ? { outcome: judged.verdict } : end('refused_wishes');
    }
  }
}

async function exchange(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
  judged: RefreshVerdict & { verdict: 'allowed' },
): Promise<RefreshOutcome | undefined> {
  if (found.carried.approval.upstreamTokens?.refreshToken === undefined) {
    return renew(ground, request, token, found, judged, undefined);
  }
  await notePresented(ground, request, token, found);
  const lease = refreshingLease(token.sessionId, found.stands.attempt);
  const name = newAttempt(ground.randomBytes);
  if (!(await ground.ledger.lease(lease, name, LEASE_MS, found.stands))) return undefined;
  let isWrittenLater = false;
  try {
    return await renew(ground, request, token, found, judged, lease);
  } catch (error) {
    isWrittenLater = error instanceof WrittenLaterError;
    throw error instanceof WrittenLaterError ? error.cause : error;
  } finally {
    // While an answer waits to be written, nobody may spend the upstream's token a second time.
    if (!isWrittenLater) await ground.ledger.release(lease, name);
  }
}

async function renew(
  ground: RefreshGround,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
  judgedBefore: RefreshVerdict & { verdict: 'allowed' },
  lease: string | undefined,
): Promise<RefreshOutcome | undefined> {
  const { ledger, sealing, randomBytes } = ground;
  const { client, jkt, source } = request;
  const { session } = found;
  let { carried, nowMs } = found;
  let judged = judgedBefore;

  const asked = await askUpstream(ground.upstreams, client, carried, nowMs);
  if (asked.outcome === 'unavailable') return UNAVAILABLE;
  if (asked.outcome === 'gone') return endAndRefuse(ground, request, session, 'upstream');
  if (lease !== undefined) {
    carried = asked.carried;
    // The upstream may have taken its time: lifetimes start when the device gets the tokens.
    nowMs = await ledger.now();
    const again = await judgeRefresh(ground, request, session, carried, nowMs);
    if (again.verdict !== 'allowed') {
      // What the upstream just said counts against the person, and its last token is spent: the session cannot go on.
      const { refreshToken } = carried.approval.upstreamTokens ?? {};
      if (refreshToken !== undefined) await ground.upstreams.revoke(session.upstream, new Secret(refreshToken));
      return endAndRefuse(ground, request, session, again.verdict === 'ended' ? again.by : 'policy');
    }
    judged = again;
  }

  const salt = found.nextSalt ?? newSalt(randomBytes);
  const successor = successorOf(token, salt, session.keyName, sealing);
  const jti = firstJti(session, successor, sealing);
  const { scopes, resources } = judged;
  const issued = await ground.issueTokens({
    ...{ client, session, carried, scopes, resources, jti, nowMs },
    jkt: jkt === '' ? undefined : jkt,
    refreshToken: formatRefreshToken(successor),
  });
  const answered = { wish: wishOf(judged, jkt), source };
  const made = { client, session, token, found, successor, salt, carried, answered, issued, jti, nowMs, lease };
  switch (await exchangeToken(ground, made)) {
    case 'written':
      return { outcome: 'tokens', answer: issued.answer, session, isAgain: false };
    case 'ended':
      return INVALID;
    case 'too_late':
      return undefined;
  }
}

/** The `jti` of the answer that a token came with; the same when that answer is given again. */
export function firstJti(session: DeviceSession, successor: RefreshToken, sealing: Sealing): string {
  return sealing.derive(session.keyName, 'refreshed jti', successor.secret, 16).toString('base64url');
}

/**
 * Somebody has this token, so the answer that it came in was not lost. Only worth noting while its parent would still be
 * answered, and where the token is not exchanged in the same step.
 */
async function notePresented(
  { ledger, randomBytes }: RefreshGround,
  { client }: RefreshRequest,
  token: RefreshToken,
  { madeAtMs = 0, nowMs }: FoundToken & CurrentToken,
): Promise<void> {
  const graceEndsAtMs = madeAtMs + client.refreshGraceSeconds * 1000;
  if (token.n === 0 || nowMs > graceEndsAtMs) return;
  const key = presentedEntry(token.sessionId, token.n);
  const attempt = newAttempt(randomBytes);
  // A moment longer than the grace, which is judged by a clock that was read before.
  await ledger.commit({ attempt, writes: [{ key, value: `${attempt}|`, expiresAtMs: graceEndsAtMs + LEASE_MS }] });
}

async function endAndRefuse(
  ground: RefreshGround,
  request: RefreshRequest,
  session: DeviceSession,
  reason: EndReason,
  brought?: BroughtToken,
): Promise<RefreshOutcome> {
  if (await endSession(ground, session, reason, brought)) ground.onEnded(session, reason, request);
  return INVALID;
}
