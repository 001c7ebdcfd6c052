import type { RegisteredClient } from '../../clients/registered-client.ts';
import { COMMIT_WITHIN_MS } from '../../grants/redeem/redeem-grant.ts';
import type { IssuedAnswer } from '../../grants/redeem/redemption.ts';
import { userinfoEntries } from '../../grants/redeem/userinfo-entry.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { endedEntry, presentedEntry, refreshEntry, sessionEntry } from '../../ledger/entry-keys.ts';
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

/** The storage failed; the write goes on in the background. `cause` is what the caller is told. */
export class WrittenLaterError extends Error {
  override readonly name = 'WrittenLaterError';
}

/**
 * For at least a minute, and so often that a write nearly always waits for the storage already when it is back: who came
 * first then, with a lease that has lapsed meanwhile, would spend the upstream's token a second time.
 */
const WRITE_TRIES = 240;
const WRITE_EVERY_MS = 250;

/**
 * Turns token n into token n+1: the state that token n stands in is replaced, only while it is still that state, and
 * only while the session has not ended.
 *
 * @returns `too_late` where somebody else has exchanged it
 */
export async function exchangeToken(deps: RefreshDeps, exchange: Exchange): Promise<'written' | 'ended' | 'too_late'> {
  const attempt = newAttempt(deps.randomBytes);
  try {
    return await writeOnce(deps, exchange, attempt);
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    if (exchange.lease === undefined) throw error;
    // The upstream may have spent its refresh token for this answer: without it the session would be lost.
    void writeLater(deps, exchange, attempt);
    throw new WrittenLaterError(error.message, { cause: error });
  }
}

async function writeOnce(deps: RefreshDeps, exchange: Exchange, attempt: string) {
  const change = await changeOf(deps, exchange, attempt);
  // Else a command that sat out an outage in a queue would say that the token was exchanged long ago, and the retry of a
  // device that was told to come again would pass for reuse.
  const committed = await deps.ledger.commit({ ...change, notAfterMs: exchange.nowMs + COMMIT_WITHIN_MS });
  if (committed.outcome === 'won') return 'written';
  if (committed.outcome === 'lost') return 'too_late';
  switch (committed.because) {
    case 'late':
      throw new StorageUnavailableError('the exchange came too late to be written');
    case refreshEntry(exchange.session.id):
      return 'too_late';
    default:
      return 'ended';
  }
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
  const whole = { attempt, requires: [sessionEntry(id)], unless: [endedEntry(id)] };
  if (found.stands.key === state.key) {
    return { ...whole, writes: [state, ...beside], replaces: found.stands.attempt, removes };
  }
  const spent = spendChainedToken(token, attempt, { nowMs, expiresAtMs }, sealing);
  return { ...whole, writes: [spent.first, state, ...beside], removes: [...removes, ...spent.removes] };
}

/** Dated anew at each try: the device's grace begins when there is an answer to be had. */
async function writeLater(deps: RefreshDeps, exchange: Exchange, attempt: string): Promise<void> {
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    await deps.sleep(WRITE_EVERY_MS);
    try {
      await writeOnce(deps, { ...exchange, nowMs: await deps.ledger.now() }, attempt);
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) return;
    }
  }
}
