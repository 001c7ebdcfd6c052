import { type EndGrantDeps, endGrant } from '../grants/end-grant.ts';
import type { EndReason } from '../ledger/ended.ts';
import { lastUsedMark } from '../ledger/entry-keys.ts';
import { SealBrokenError } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import type { DeviceSession } from './device-session.ts';
import type { RecheckUpstream } from './refresh/recheck-upstream.ts';
import { decodeRefreshState, openRefreshState, type SessionSecrets } from './refresh/refresh-state.ts';
import type { RefreshToken } from './refresh/refresh-token.ts';

export interface EndSessionDeps extends EndGrantDeps {
  /** Needed only by who brings a refresh token. */
  upstreams?: Pick<RecheckUpstream, 'revoke'>;
}

/** A refresh token that came along, and what it opened, where it did. */
export interface BroughtToken {
  token: RefreshToken;
  carried?: SessionSecrets | undefined;
}

/**
 * Ends a session for good, and deletes what it carried. A caller who brings its newest refresh token, or the one before, also
 * opens that, so the upstream's refresh token is revoked there too. In every other case it can be used by nobody then,
 * and lapses at the upstream by itself.
 *
 * @returns whether this call ended it
 */
export async function endSession(
  deps: EndSessionDeps,
  session: DeviceSession,
  reason: EndReason,
  brought?: BroughtToken,
): Promise<boolean> {
  const { hasEnded, refresh } = await endGrant(deps, session.id, reason, session.endsAtMs);
  if (!hasEnded) return false;
  // A refresh may have come in between, so what stood at the end is opened, not what was read before.
  const carried = refresh === undefined ? brought?.carried : await carriedAtEnd(deps, session, refresh, brought);
  const upstreamToken = carried?.approval.upstreamTokens?.refreshToken;
  if (brought !== undefined && reason !== 'upstream' && upstreamToken !== undefined) {
    await deps.upstreams?.revoke(session.upstream, new Secret(upstreamToken));
  }
  return true;
}

async function carriedAtEnd(
  { ledger, sealing }: EndSessionDeps,
  { id, keyName, endsAtMs }: DeviceSession,
  refresh: string,
  brought: BroughtToken | undefined,
): Promise<SessionSecrets | undefined> {
  try {
    const state = decodeRefreshState(id, refresh, sealing);
    await ledger.raise(lastUsedMark(id), state.madeAtMs, endsAtMs);
    return brought && (await openRefreshState(brought.token, state, keyName, sealing))?.carried;
  } catch (error) {
    // Nobody here wrote it: there is nothing in it to be revoked, and the session has ended.
    if (error instanceof SealBrokenError) return undefined;
    throw error;
  }
}
