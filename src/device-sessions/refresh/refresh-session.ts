/**
 * A refresh token is found in its chain, judged by today's policy, and exchanged; or the session ends. One entry of constant
 * size keeps the chain (decision 0013). The wire's form is in `endpoints/`.
 */

import { newAttempt } from '../../ledger/attempt.ts';
import type { EndReason } from '../../ledger/ended.ts';
import { presentedEntry } from '../../ledger/entry-keys.ts';
import { SealBrokenError } from '../../sealing/sealing.ts';
import type { DeviceSession } from '../device-session.ts';
import { type BroughtToken, endSession } from '../end-session.ts';
import { answerAgain } from './answer-again.ts';
import { type CurrentToken, type FoundToken, findRefreshToken } from './find-refresh-token.ts';
import { isUpstreamAsked } from './recheck-upstream.ts';
import { judgeRefresh, type RefreshVerdict } from './refresh-policy.ts';
import { INVALID, type RefreshDeps, type RefreshOutcome, type RefreshRequest, UNAVAILABLE } from './refresh-request.ts';
import { parseRefreshToken, type RefreshToken } from './refresh-token.ts';
import { noteRefusedWish } from './refused-wishes.ts';
import { renewSession } from './renew-session.ts';

/** Longer than any step between reading the storage's clock and writing by it. */
const SLACK_MS = 15 * 1000;
const WAIT_MS = 5 * 1000;
const LOOK_EVERY_MS = 100;

/**
 * Refreshes a device session (RFC 6749 §6). The successor is settled before a token is ever shown, so of two hundred
 * callers with one token each gets the same one: the first to replace the session's state has exchanged it, the others
 * are answered as those whose answer was lost. Where the upstream is asked, one caller takes the lease and the others
 * wait: it must not be asked twice with one token.
 *
 * @throws {StorageUnavailableError}
 * @throws {SealingKeyMissingError} when a key is away; nothing was written then
 */
export async function refreshSession(deps: RefreshDeps, request: RefreshRequest): Promise<RefreshOutcome> {
  const token = parseRefreshToken(request.refreshToken.reveal());
  if (token === undefined) return INVALID;
  try {
    for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      const found = await findRefreshToken(deps, token);
      if (found === undefined || found.hasEnded || !isHolder(found.session, request)) return INVALID;
      if (waitedMs === 0) await request.spendProof(found.session.id);
      const outcome = await answerPlaced(deps, request, token, found);
      if (outcome !== undefined) return outcome;
      await deps.sleep(LOOK_EVERY_MS);
    }
    return UNAVAILABLE;
  } catch (error) {
    if (error instanceof SealBrokenError) return INVALID;
    throw error;
  }
}

/** A caller that is not the token's client, or lacks its DPoP key, changes nothing by asking. */
function isHolder(session: DeviceSession, { client, issuer, jkt }: RefreshRequest): boolean {
  const isBound = session.jkt === undefined || session.jkt === jkt;
  return session.clientId === client.id && session.issuer === issuer && isBound;
}

/** `undefined` where somebody else is at it. */
async function answerPlaced(
  deps: RefreshDeps,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken,
): Promise<RefreshOutcome | undefined> {
  const { session } = found;
  const brought = { token, carried: 'carried' in found ? found.carried : undefined };
  const end = (reason: EndReason) => endAndRefuse(deps, request, session, reason, brought);
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
  const isAsked =
    found.place === 'current' && isUpstreamAsked(deps.upstreams, request.client, found.carried, found.nowMs);
  const judged = await judgeRefresh(deps, request, session, found.carried, found.nowMs, { isAskedNext: isAsked });
  if (judged.verdict !== 'allowed') {
    await writePresented(deps, request, token, found);
    return refuse(deps, request, found, judged, end);
  }
  return found.place === 'parent'
    ? answerAgain(deps, request, found, judged, end)
    : renewSession(deps, request, token, found, judged, {
        isAsked,
        notePresented: () => notePresented(deps, request, token, found),
        end: (reason) => endAndRefuse(deps, request, session, reason),
      });
}

/** One answer for one wish, whether the token that it came with was exchanged already or not. */
async function refuse(
  deps: RefreshDeps,
  request: RefreshRequest,
  { session, nowMs }: FoundToken,
  judged: Exclude<RefreshVerdict, { verdict: 'allowed' }>,
  end: (reason: EndReason) => Promise<RefreshOutcome>,
): Promise<RefreshOutcome> {
  switch (judged.verdict) {
    case 'ended':
      return end(judged.by);
    case 'invalid_grant':
    case 'undecided':
      return INVALID;
    case 'invalid_scope':
    case 'invalid_target': {
      const { accessTokenSeconds } = request.client.lifetimes;
      const noted = await noteRefusedWish(deps, session.id, accessTokenSeconds, nowMs);
      return noted === 'noted' ? { outcome: judged.verdict } : end('refused_wishes');
    }
  }
}

/**
 * Somebody has this token, so the answer that it came in was not lost. Only worth noting while its parent would still be
 * answered, and where the token is not exchanged in the same step.
 */
async function notePresented(
  deps: RefreshDeps,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
): Promise<void> {
  const { madeAtMs = 0, nowMs } = found;
  const isParentAnswered = token.n > 0 && nowMs <= madeAtMs + request.client.refreshGraceSeconds * 1000;
  if (isParentAnswered) await writePresented(deps, request, token, found);
}

/**
 * Of a refused wish in any case: a write that only some of them had would tell a thief, by the time that it takes, whether
 * the token was used by now.
 */
async function writePresented(
  { ledger, randomBytes }: RefreshDeps,
  { client }: RefreshRequest,
  token: RefreshToken,
  { madeAtMs = 0, nowMs }: { madeAtMs?: number | undefined; nowMs: number },
): Promise<void> {
  const graceEndsAtMs = Math.max(nowMs, madeAtMs + client.refreshGraceSeconds * 1000);
  const key = presentedEntry(token.sessionId, token.n);
  const attempt = newAttempt(randomBytes);
  // A moment longer than the grace, which is judged by a clock that was read before.
  await ledger.commit({ attempt, writes: [{ key, value: `${attempt}|`, expiresAtMs: graceEndsAtMs + SLACK_MS }] });
}

async function endAndRefuse(
  deps: RefreshDeps,
  request: RefreshRequest,
  session: DeviceSession,
  reason: EndReason,
  brought?: BroughtToken,
): Promise<RefreshOutcome> {
  if (await endSession(deps, session, reason, brought)) deps.onEnded(session, reason, request);
  return INVALID;
}
