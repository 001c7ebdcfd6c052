import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval } from '../ledger/approval.ts';
import { getsRefreshTokens } from './decide/policy.ts';

export interface SessionLife {
  /** Whether the device gets refresh tokens. */
  refreshes: boolean;
  /** The absolute end; nothing of the session outlives it. */
  endsAtMs: number;
}

export interface BeginningSession {
  client: RegisteredClient;
  approval: Pick<Approval, 'signedInAtMs' | 'upstreamTokens'>;
  scopes: readonly string[];
  atMs: number;
}

/**
 * How long a session lives that begins now. Of one whose upstream gave no refresh token nobody can be asked whether the
 * account still stands, so it has an end of its own.
 */
export function sessionLife(beginning: BeginningSession, uncheckedSessionSeconds: number): SessionLife {
  const { client, approval, scopes, atMs } = beginning;
  const isAskable = approval.upstreamTokens?.refreshToken !== undefined;
  // Relay hands out a refresh token in the place of the upstream's, or none.
  const refreshes = getsRefreshTokens(client, scopes) && (client.tokens === 'mint' || isAskable);
  if (!refreshes) return { refreshes, endsAtMs: accessTokenEndsAtMs(beginning) };
  const longestMs = atMs + 1000 * client.lifetimes.refreshAbsoluteSeconds;
  if (isAskable) return { refreshes, endsAtMs: longestMs };
  const uncheckedMs = approval.signedInAtMs + 1000 * uncheckedSessionSeconds;
  return { refreshes, endsAtMs: Math.min(longestMs, Math.max(uncheckedMs, accessTokenEndsAtMs(beginning))) };
}

/**
 * Without a refresh token a session is over when its only access token is; where an upstream's never is, at the moment
 * at which the longest session would be.
 */
function accessTokenEndsAtMs({ client, approval, atMs }: BeginningSession): number {
  const { accessTokenSeconds, refreshAbsoluteSeconds } = client.lifetimes;
  const relayedUntilMs = (client.tokens === 'relay' && approval.upstreamTokens?.expiresAtMs) || 0;
  const boundedMs = Math.min(relayedUntilMs, atMs + 1000 * refreshAbsoluteSeconds);
  return Math.max(boundedMs, atMs + 1000 * accessTokenSeconds);
}
