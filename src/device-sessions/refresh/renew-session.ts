import { newAttempt } from '../../ledger/attempt.ts';
import type { EndReason } from '../../ledger/ended.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';
import type { DeviceSession } from '../device-session.ts';
import { exchangeToken, leaseOf } from './exchange-token.ts';
import type { CurrentToken, FoundToken } from './find-refresh-token.ts';
import { keepSecrets, untilStored } from './keep-secrets.ts';
import { type Asked, recheckUpstream } from './recheck-upstream.ts';
import { judgeRefresh, type RefreshVerdict, wishOf } from './refresh-policy.ts';
import { INVALID, type RefreshDeps, type RefreshOutcome, type RefreshRequest, UNAVAILABLE } from './refresh-request.ts';
import { newSalt, type SessionSecrets } from './refresh-state.ts';
import { formatRefreshToken, type RefreshToken, successorOf } from './refresh-token.ts';

const LEASE_MS = 15 * 1000;

/** What a renewal hands back to who judged the token. */
interface Renewal {
  /** Whether the upstream is asked. */
  isAsked: boolean;
  notePresented: () => Promise<void>;
  end: (reason: EndReason) => Promise<RefreshOutcome>;
}

/**
 * Exchanges a token for its successor. Where the upstream is asked, one caller at a time does it.
 *
 * @returns `undefined` where somebody else is at it, or was faster
 */
export async function renewSession(
  deps: RefreshDeps,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
  judged: RefreshVerdict & { verdict: 'allowed' },
  renewal: Renewal,
): Promise<RefreshOutcome | undefined> {
  if (!renewal.isAsked) {
    return renew(deps, request, token, found, judged, renewal, undefined);
  }
  const lease = leaseOf({ session: found.session, found });
  const name = newAttempt(deps.randomBytes);
  // Both at once; the upstream is asked after both.
  const noted = renewal.notePresented();
  noted.catch(() => {});
  if (!(await deps.ledger.lease(lease, name, LEASE_MS, found.stands))) {
    await noted;
    return undefined;
  }
  // An exchange that is written takes its lease away itself; while what the upstream gave waits to be written, nobody may
  // spend its token a second time.
  let isKept = false;
  try {
    await noted;
    const outcome = await renew(deps, request, token, found, judged, renewal, lease);
    isKept = outcome?.outcome === 'tokens';
    return outcome;
  } catch (error) {
    isKept = error instanceof KeptLaterError;
    throw error instanceof KeptLaterError ? error.cause : error;
  } finally {
    if (!isKept) await deps.ledger.release(lease, name);
  }
}

/** What the upstream gave is written in the background. `cause` is what the caller is told. */
class KeptLaterError extends Error {
  override readonly name = 'KeptLaterError';
}

/** Asks the upstream, and exchanges the token. What the upstream has given must not be lost, whatever fails from there on. */
async function renew(
  deps: RefreshDeps,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
  judged: RefreshVerdict & { verdict: 'allowed' },
  renewal: Renewal,
  lease: string | undefined,
): Promise<RefreshOutcome | undefined> {
  const { client } = request;
  const { session } = found;
  const asked = await recheckUpstream(deps.upstreams, client, found.carried, found.nowMs, lease !== undefined);
  if (asked.outcome === 'gone') return renewal.end('upstream');
  const carried = asked.outcome === 'unavailable' ? asked.keep : asked.carried;
  if (carried === undefined) return UNAVAILABLE;
  const keep = () => keepSecrets(deps, { client, session, token, found, carried, lease });
  const finish = async () => {
    if (asked.outcome !== 'unavailable') {
      return exchangeAnswered(deps, request, token, found, judged, renewal, lease, asked);
    }
    await keep();
    return UNAVAILABLE;
  };
  try {
    return await finish();
  } catch (cause) {
    if (refreshTokenIn(carried) === refreshTokenIn(found.carried)) throw cause;
    // Where the token stands in no state that could be kept, its exchange is what keeps it.
    void untilStored(deps, found.state === undefined ? finish : keep);
    throw new KeptLaterError('what the upstream gave is written later', { cause });
  }
}

function refreshTokenIn({ approval }: SessionSecrets): string | undefined {
  return approval.upstreamTokens?.refreshToken;
}

async function exchangeAnswered(
  deps: RefreshDeps,
  request: RefreshRequest,
  token: RefreshToken,
  found: FoundToken & CurrentToken,
  judgedBefore: RefreshVerdict & { verdict: 'allowed' },
  { end }: Renewal,
  lease: string | undefined,
  asked: Asked & { outcome: 'stands' },
): Promise<RefreshOutcome | undefined> {
  const { ledger, sealing, randomBytes } = deps;
  const { client, jkt, source } = request;
  const { session } = found;
  const { carried } = asked;
  let { nowMs } = found;
  let judged = judgedBefore;
  if (lease !== undefined) {
    // The upstream may have taken its time: lifetimes start when the device gets the tokens.
    nowMs = asked.answeredAtMs ?? (await ledger.now());
    const again = await judgeRefresh(deps, request, session, carried, nowMs);
    if (again.verdict !== 'allowed') {
      // It said nothing, and what it said before is not enough for today's policy: nothing is lost by that.
      const isUnheard = asked.carried === found.carried;
      if (isUnheard && again.verdict === 'undecided') return UNAVAILABLE;
      if (isUnheard && again.verdict === 'invalid_grant') return INVALID;
      // What the upstream just said counts against the person, and its last token is spent: the session cannot go on.
      const refreshToken = refreshTokenIn(carried);
      if (refreshToken !== undefined) await deps.upstreams.revoke(session.upstream, new Secret(refreshToken));
      return end(again.verdict === 'ended' ? again.by : 'policy');
    }
    judged = again;
  }

  const salt = found.nextSalt ?? newSalt(randomBytes);
  const successor = successorOf(token, salt, session.keyName, sealing);
  const jti = firstJti(session, successor, sealing);
  const { scopes, resources } = judged;
  const issued = await deps.issueTokens({
    ...{ client, session, carried, scopes, resources, jti, nowMs },
    jkt: jkt === '' ? undefined : jkt,
    refreshToken: formatRefreshToken(successor),
  });
  const answered = { wish: wishOf(judged, jkt), source };
  const made = { client, session, token, found, successor, salt, carried, answered, issued, jti, nowMs, lease };
  switch (await exchangeToken(deps, made)) {
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
