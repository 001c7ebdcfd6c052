import { againOf } from '../../grants/redeem/given-again.ts';
import { userinfoEntries } from '../../grants/redeem/userinfo-entry.ts';
import type { EndReason } from '../../ledger/ended.ts';
import type { FoundToken, ParentToken } from './find-refresh-token.ts';
import { type RefreshVerdict, wishOf } from './refresh-policy.ts';
import type { RefreshDeps, RefreshOutcome, RefreshRequest } from './refresh-request.ts';
import { formatRefreshToken } from './refresh-token.ts';
import { firstJti } from './renew-session.ts';

/**
 * Answers a token whose exchange somebody else has made, or whose answer was lost: with the same successor. The same wish
 * gets the same tokens with the life that is left of them; another one, as allowed as the first, gets tokens of its own.
 * Nothing of an answer is kept, so nobody can be given one that was made for another question.
 */
export async function answerAgain(
  deps: RefreshDeps,
  request: RefreshRequest,
  found: FoundToken & ParentToken,
  judged: RefreshVerdict & { verdict: 'allowed' },
  end: (reason: EndReason) => Promise<RefreshOutcome>,
): Promise<RefreshOutcome> {
  const { ledger, sealing, randomBytes } = deps;
  const { client, jkt, source } = request;
  const { session, carried, answered, successor } = found;
  const { refreshNetwork } = client.safeguards;

  const firstSource = answered?.source;
  if (refreshNetwork !== 'off' && firstSource !== undefined && !deps.isSameNetwork(firstSource, source)) {
    deps.onShared(session, { firstSource, source }, request);
    if (refreshNetwork === 'require') return end('other_network');
  }
  const again = againOf({
    isEqual: answered?.wish === wishOf(judged, jkt),
    firstAtMs: found.madeAtMs,
    firstJti: firstJti(session, successor, sealing),
    lifeSeconds: client.lifetimes.accessTokenSeconds,
    nowMs: found.nowMs,
    randomBytes,
  });
  const { scopes, resources } = judged;
  const { jti, atMs } = again;
  const issued = await deps.issueTokens({
    ...{ client, session, carried, scopes, resources, jti, nowMs: atMs },
    jkt: jkt === '' ? undefined : jkt,
    refreshToken: formatRefreshToken(successor),
  });
  const { id, endsAtMs } = session;
  const [entry] = again.isSame ? [] : await userinfoEntries(sealing, { id, jti, atMs, endsAtMs }, issued);
  if (entry !== undefined) await ledger.commit({ attempt: '', writes: [entry] });
  return { outcome: 'tokens', answer: again.dated(issued.answer), session, isAgain: true, firstSource };
}
