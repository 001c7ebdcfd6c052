import { hash } from 'node:crypto';
import {
  getsRefreshTokens,
  isUndecided,
  judgeApprover,
  missingProof,
  narrowResources,
  restsOnClaims,
  stillAllowed,
} from '../../grants/decide/policy.ts';
import { endingMark } from '../../grants/revocation-marks.ts';
import { intersectScopes, isWithinScopes } from '../../oauth/scope.ts';
import type { DeviceSession } from '../device-session.ts';
import type { RefreshDeps, RefreshRequest } from './refresh-request.ts';
import type { SessionSecrets } from './refresh-state.ts';

export type RefreshVerdict =
  | { verdict: 'allowed'; scopes: readonly string[]; resources: readonly string[] }
  | { verdict: 'invalid_grant' | 'invalid_scope' | 'invalid_target' }
  /** The policy needs what nobody has said of this person. */
  | { verdict: 'undecided' }
  /** A kill switch or a logout, since the person signed in. */
  | { verdict: 'ended'; by: 'administrator' | 'logout' };

/**
 * What a refresh may hand out by today's configuration (I5, I6). A request may narrow scopes and resources for this
 * answer, never widen them (RFC 6749 §6, RFC 8707 §2.2), and does not shrink the session.
 *
 * @param options `isAskedNext`: the upstream is about to say anew who this is, so what it said last refuses nobody yet
 */
export async function judgeRefresh(
  deps: RefreshDeps,
  request: RefreshRequest,
  session: DeviceSession,
  carried: SessionSecrets,
  nowMs: number,
  { isAskedNext = false } = {},
): Promise<RefreshVerdict> {
  const { client } = request;
  const { approval } = carried;
  // Today's longest life counts for older sessions too.
  const endsAtMs = Math.min(session.endsAtMs, session.startedAtMs + client.lifetimes.refreshAbsoluteSeconds * 1000);
  if (nowMs >= endsAtMs || !getsRefreshTokens(client, session.scopes)) return { verdict: 'invalid_grant' };
  // PKCE is about the code alone; a session without a DPoP key cannot be given one by whoever holds its token.
  if (missingProof(client, { challenge: 'any', jkt: session.jkt ?? '' }) !== undefined) {
    return { verdict: 'invalid_grant' };
  }
  const approver = judgeApprover(client, approval);
  if (approver.verdict !== 'allowed' && !(isAskedNext && restsOnClaims(approver))) {
    return { verdict: isUndecided(approver) ? 'undecided' : 'invalid_grant' };
  }
  const allowed = stillAllowed(client, session);
  const isRelay = client.tokens === 'relay';
  // The upstream's token is as it is: what may not be in it any more cannot be left out.
  if (isRelay && allowed.scopes.length < session.scopes.length) return { verdict: 'invalid_grant' };
  if (allowed.scopes.length === 0 && session.scopes.length > 0) return { verdict: 'invalid_grant' };
  if (allowed.resources.length === 0 && session.resources.length > 0) return { verdict: 'invalid_grant' };
  const mark = await sessionEndingMark(deps, request, session);
  if (mark !== undefined) return { verdict: 'ended', by: mark };

  const asked = request.scopes ?? allowed.scopes;
  if (!isWithinScopes(asked, session.scopes)) return { verdict: 'invalid_scope' };
  const narrowed = intersectScopes(asked, allowed.scopes);
  if (narrowed.length === 0 && asked.length > 0) return { verdict: 'invalid_scope' };
  const resources = narrowResources(client, allowed.resources, request.resources);
  if (resources === undefined) return { verdict: 'invalid_target' };
  return {
    verdict: 'allowed',
    // Nor can it be narrowed, and `scope` says what the token has (RFC 6749 §5.1).
    scopes: isRelay ? allowed.scopes : narrowed,
    resources,
  };
}

/** What was granted, in short: two requests that are granted the same are equal, however they asked for it. */
export function wishOf({ scopes, resources }: RefreshVerdict & { verdict: 'allowed' }, jkt: string): string {
  const wish = JSON.stringify([scopes.toSorted(), resources.toSorted(), jkt]);
  return hash('sha256', wish, 'buffer').toString('base64url', 0, 16);
}

/** The kill switch or logout since this session's sign-in, if there was one. */
function sessionEndingMark(deps: RefreshDeps, { client }: RefreshRequest, session: DeviceSession) {
  return endingMark(deps, { ...session, endsOnLogout: client.endOnLogout });
}
