import type { RegisteredClient } from '../../clients/registered-client.ts';
import { COMMIT_WITHIN_MS } from '../../grants/redeem/redeem-grant.ts';
import type { IssuedAnswer } from '../../grants/redeem/redemption.ts';
import { userinfoEntries } from '../../grants/redeem/userinfo-entry.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { endedEntry, presentedEntry, refreshEntry, refreshingLease, sessionEntry } from '../../ledger/entry-keys.ts';
import { type Change, StorageUnavailableError } from '../../ledger/ledger.ts';
import type { DeviceSession } from '../device-session.ts';
import { spendChainedToken } from './chained-tokens.ts';
import type { CurrentToken } from './find-refresh-token.ts';
import type { RefreshDeps } from './refresh-request.ts';
import { type Answered, encodeRefreshState, newSalt, type SessionSecrets } from './refresh-state.ts';
import type { RefreshToken } from './refresh-token.ts';

export interface Exchange {
  client: RegisteredClient;
  session: DeviceSession;
  token: RefreshToken;
  found: CurrentToken;
  successor: RefreshToken;
  /** With which the successor was made. */
  salt: string;
  carried: SessionSecrets;
  answered: Answered;
  issued: IssuedAnswer;
  jti: string;
  nowMs: number;
  /** The lease under which the upstream was asked. */
  lease?: string | undefined;
}

/**
 * Turns token n into token n+1: the state that token n stands in is replaced, only while it is still that state, only while
 * the session has not ended, and only by who asked the upstream while somebody does.
 *
 * @returns `too_late` where somebody else has exchanged it, or is at it
 * @throws {StorageUnavailableError}
 */
export async function exchangeToken(deps: RefreshDeps, exchange: Exchange): Promise<'written' | 'ended' | 'too_late'> {
  const change = await changeOf(deps, exchange, newAttempt(deps.randomBytes));
  // Else a command that sat out an outage in a queue would say that the token was exchanged long ago, and the retry of a
  // device that was told to come again would pass for reuse.
  const committed = await deps.ledger.commit({ ...change, notAfterMs: exchange.nowMs + COMMIT_WITHIN_MS });
  if (committed.outcome === 'won') return 'written';
  if (committed.outcome === 'lost') return 'too_late';
  switch (committed.because) {
    case 'late':
      throw new StorageUnavailableError('the exchange came too late to be written');
    case refreshEntry(exchange.session.id):
    case leaseOf(exchange):
      return 'too_late';
    default:
      return 'ended';
  }
}

/** Under it the upstream is asked by one caller at a time, who alone may replace this state then. */
export function leaseOf({ session, found }: Pick<Exchange, 'session' | 'found'>): string {
  return refreshingLease(session.id, found.stands.attempt);
}

async function changeOf(deps: RefreshDeps, exchange: Exchange, attempt: string): Promise<Change> {
  const { sealing, randomBytes } = deps;
  const { client, session, token, found, successor, salt, carried, answered, issued, jti, nowMs, lease } = exchange;
  const { id, endsAtMs, keyName } = session;
  const expiresAtMs = Math.min(endsAtMs, nowMs + client.lifetimes.refreshIdleSeconds * 1000);
  const made = { attempt, madeAtMs: nowMs, salt, nextSalt: newSalt(randomBytes) };
  const state = {
    key: refreshEntry(id),
    value: await encodeRefreshState(successor, made, carried, answered, keyName, sealing),
    expiresAtMs,
  };
  const beside = await userinfoEntries(sealing, { id, jti, atMs: nowMs, endsAtMs }, issued);
  // Token n−1 is long spent by now, so nobody asks any more whether token n was shown.
  const removes = [presentedEntry(id, token.n), ...(lease === undefined ? [] : [lease])];
  // The upstream's token is being spent: an exchange that carries it on as it was would lose the session.
  const unless = [endedEntry(id), ...(lease === undefined ? [leaseOf(exchange)] : [])];
  const whole = { attempt, requires: [sessionEntry(id)], unless };
  if (found.stands.key === state.key) {
    return { ...whole, writes: [state, ...beside], replaces: found.stands.attempt, removes };
  }
  const spent = spendChainedToken(token, attempt, { nowMs, expiresAtMs }, sealing);
  return { ...whole, writes: [spent.first, state, ...beside], removes: [...removes, ...spent.removes] };
}
