import type { RegisteredClient } from '../../clients/registered-client.ts';
import { COMMIT_WITHIN_MS } from '../../grants/redeem/redeem-grant.ts';
import { newAttempt } from '../../ledger/attempt.ts';
import { endedEntry, refreshEntry, sessionEntry } from '../../ledger/entry-keys.ts';
import type { DeviceSession } from '../device-session.ts';
import type { CurrentToken } from './find-refresh-token.ts';
import type { RefreshDeps } from './refresh-request.ts';
import { encodeRefreshState, type SessionSecrets } from './refresh-state.ts';
import type { RefreshToken } from './refresh-token.ts';

/**
 * Keeps what the upstream gave although there is no answer for the device: it has rotated its refresh token, and takes the
 * one that was kept before no more. The device's own token stays as it is, and so does its successor.
 */
export async function keepSecrets(
  { ledger, sealing, randomBytes }: RefreshDeps,
  client: RegisteredClient,
  session: DeviceSession,
  token: RefreshToken,
  { stands, state }: CurrentToken,
  carried: SessionSecrets,
): Promise<void> {
  // A state that the storage lost, or one of 0.1.0: its next exchange writes another one.
  if (state === undefined) return;
  const key = refreshEntry(session.id);
  const attempt = newAttempt(randomBytes);
  const nowMs = await ledger.now();
  const value = await encodeRefreshState(
    ...([token, { ...state, attempt }, carried, state.answered, session.keyName, sealing] as const),
  );
  const expiresAtMs = Math.min(session.endsAtMs, nowMs + client.lifetimes.refreshIdleSeconds * 1000);
  await ledger.commit({
    attempt,
    writes: [{ key, value, expiresAtMs }],
    replaces: stands.attempt,
    requires: [sessionEntry(session.id)],
    unless: [endedEntry(session.id)],
    notAfterMs: nowMs + COMMIT_WITHIN_MS,
  });
}
