import type { RegisteredClient } from '../../clients/registered-client.ts';
import { COMMIT_WITHIN_MS } from '../../grants/redeem/redeem-grant.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { endedEntry, refreshEntry, sessionEntry } from '../../ledger/entry-keys.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { DeviceSession } from '../device-session.ts';
import type { CurrentToken } from './find-refresh-token.ts';
import type { RefreshDeps } from './refresh-request.ts';
import { encodeRefreshState, type SessionSecrets } from './refresh-state.ts';
import type { RefreshToken } from './refresh-token.ts';

/**
 * For at least a minute, and so often that a write nearly always waits for the storage already when it is back: who came
 * first then, with a lease that has lapsed meanwhile, would spend the upstream's token a second time.
 */
const TRIES = 240;
const TRY_EVERY_MS = 250;

/** What is kept, and what it takes the place of. */
export interface Kept {
  client: RegisteredClient;
  session: DeviceSession;
  token: RefreshToken;
  found: CurrentToken;
  carried: SessionSecrets;
  /** The lease under which the upstream was asked; it is given back in the same step. */
  lease: string | undefined;
}

/**
 * Keeps what the upstream gave although there is no answer for the device: it has rotated its refresh token, and takes the
 * one that was kept before no more. The device's own token stays as it is, and so does its successor.
 *
 * @throws {StorageUnavailableError}
 */
export async function keepSecrets({ ledger, sealing, randomBytes }: RefreshDeps, kept: Kept): Promise<void> {
  const { client, session, token, found, carried, lease } = kept;
  const { stands, state } = found;
  // A state that the storage lost, or one of 0.1.0: its next exchange writes another one.
  if (state === undefined) return;
  const key = refreshEntry(session.id);
  const attempt = newAttempt(randomBytes);
  const nowMs = await ledger.now();
  const value = await encodeRefreshState(
    ...([token, { ...state, attempt }, carried, state.answered, session.keyName, sealing] as const),
  );
  const expiresAtMs = Math.min(session.endsAtMs, nowMs + client.lifetimes.refreshIdleSeconds * 1000);
  const committed = await ledger.commit({
    attempt,
    writes: [{ key, value, expiresAtMs }],
    replaces: stands.attempt,
    requires: [sessionEntry(session.id)],
    unless: [endedEntry(session.id)],
    removes: lease === undefined ? [] : [lease],
    notAfterMs: nowMs + COMMIT_WITHIN_MS,
  });
  if (committed.outcome === 'refused' && committed.because === 'late') {
    throw new StorageUnavailableError('what the upstream gave came too late to be kept');
  }
}

/** Tries until the storage has it, or somebody else has written or ended what it would replace. */
export async function untilStored(deps: Pick<RefreshDeps, 'sleep'>, write: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) return;
    }
    await deps.sleep(TRY_EVERY_MS);
  }
}
