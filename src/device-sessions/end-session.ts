import { type EndGrantDeps, endGrant, endGrantAndTake } from '../grants/end-grant.ts';
import type { EndReason } from '../ledger/ended.ts';
import { lastUsedMark, refreshEntry } from '../ledger/entry-keys.ts';
import { isUnreadable } from '../ledger/versioned-seal.ts';
import { SealBrokenError } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import type { DeviceSession } from './device-session.ts';
import type { RecheckUpstream } from './refresh/recheck-upstream.ts';
import {
  decodeRefreshState,
  openRefreshState,
  type RefreshState,
  type SessionSecrets,
} from './refresh/refresh-state.ts';
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
  const { id, endsAtMs } = session;
  if (brought === undefined) {
    const [refresh] = (await deps.ledger.read([refreshEntry(id)])).values;
    // Nobody waits for another replica's key: when it was last used is a courtesy, and the end is not.
    if (refresh !== undefined) await unless(isUnreadable, () => keepLastUsed(deps, session, refresh));
    return (await endGrant(deps, id, reason, endsAtMs)).hasEnded;
  }
  const { hasEnded, refresh } = await endGrantAndTake(deps, id, reason, endsAtMs);
  if (!hasEnded) return false;
  // A refresh may have come in between, so what stood at the end is opened, not what was read before.
  const state = refresh === undefined ? undefined : await keepLastUsed(deps, session, refresh);
  const carried = refresh === undefined ? brought.carried : await carriedIn(deps, session, state, brought);
  const upstreamToken = carried?.approval.upstreamTokens?.refreshToken;
  if (reason !== 'upstream' && upstreamToken !== undefined) {
    await deps.upstreams?.revoke(session.upstream, new Secret(upstreamToken));
  }
  return true;
}

/** An entry that nobody here wrote tells nothing; the session ends all the same. */
async function keepLastUsed(
  { ledger, sealing }: EndSessionDeps,
  { id, endsAtMs }: DeviceSession,
  refresh: string,
): Promise<RefreshState | undefined> {
  const state = await unless(isBroken, async () => decodeRefreshState(id, refresh, sealing));
  if (state !== undefined) await ledger.raise(lastUsedMark(id), state.madeAtMs, endsAtMs);
  return state;
}

async function carriedIn(
  { sealing }: EndSessionDeps,
  { keyName }: DeviceSession,
  state: RefreshState | undefined,
  { token }: BroughtToken,
): Promise<SessionSecrets | undefined> {
  if (state === undefined) return undefined;
  return (await unless(isBroken, () => openRefreshState(token, state, keyName, sealing)))?.carried;
}

function isBroken(error: unknown): boolean {
  return error instanceof SealBrokenError;
}

async function unless<T>(isTold: (error: unknown) => boolean, open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (isTold(error)) return undefined;
    throw error;
  }
}
