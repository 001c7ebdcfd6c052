import type { RegisteredClient } from '../clients/registered-client.ts';
import { refreshEntry, sessionEntry } from '../grants/entry-names.ts';
import type { Entry } from '../grants/ledger.ts';
import { getsRefreshTokens } from '../grants/policy.ts';
import type { BeginSession, Redemption } from '../grants/redeem-grant.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { type DeviceSession, sealSession } from './device-session.ts';
import { encodeRefreshState, firstSalt } from './refresh-state.ts';
import { firstRefreshToken, formatRefreshToken } from './refresh-token.ts';

/**
 * The entries with which a redemption starts a device session. All of it follows from the device code and the grant's
 * sealing key, so a second redemption after a failover that lost the first makes the same session, not another one.
 */
export function createBeginSession(sealing: Sealing): BeginSession {
  return async (redemption, deviceCode, attempt) => {
    const { client, grant, approval, scopes, atMs } = redemption;
    const { refreshIdleSeconds, refreshAbsoluteSeconds } = client.lifetimes;
    const refreshes = givesRefreshToken(client, scopes, approval.upstreamTokens?.refreshToken);
    const endsAtMs = refreshes ? atMs + 1000 * refreshAbsoluteSeconds : accessTokenEndsAtMs(redemption);
    const session = await sealSession(attempt, sessionOf(redemption, endsAtMs), sealing);
    const entries: Entry[] = [{ key: sessionEntry(grant.id), value: session, expiresAtMs: endsAtMs }];
    if (!refreshes) return { entries, endsAtMs };

    const first = firstRefreshToken(grant.id, deviceCode, grant.keyName, sealing);
    const made = { attempt, madeAtMs: atMs, salt: '', nextSalt: firstSalt(deviceCode, grant.keyName, sealing) };
    const carried = { approval, upstreamAnsweredAtMs: approval.signedInAtMs };
    entries.push({
      key: refreshEntry(grant.id),
      value: await encodeRefreshState(first, made, carried, undefined, grant.keyName, sealing),
      expiresAtMs: Math.min(endsAtMs, atMs + refreshIdleSeconds * 1000),
    });
    return { entries, endsAtMs, refreshToken: formatRefreshToken(first) };
  };
}

function sessionOf(
  { client, grant, approval, scopes, resources, jkt, atMs }: Redemption,
  endsAtMs: number,
): DeviceSession {
  return {
    id: grant.id,
    clientId: client.id,
    upstream: approval.upstream,
    subject: approval.subject,
    upstreamSub: approval.upstreamSub,
    account: approval.account,
    sid: approval.sid,
    scopes,
    resources,
    jkt,
    deviceLabel: grant.deviceLabel,
    userAgent: grant.userAgent,
    source: grant.source,
    issuer: grant.issuer,
    signedInAtMs: approval.signedInAtMs,
    startedAtMs: atMs,
    endsAtMs,
    keyName: grant.keyName,
  };
}

/**
 * Without a refresh token a session is over when its only access token is; where an upstream's never is, at the moment
 * at which the longest session would be.
 */
function accessTokenEndsAtMs({ client, approval, atMs }: Redemption): number {
  const { accessTokenSeconds, refreshAbsoluteSeconds } = client.lifetimes;
  const relayedUntilMs = (client.tokens === 'relay' && approval.upstreamTokens?.expiresAtMs) || 0;
  const boundedMs = Math.min(relayedUntilMs, atMs + 1000 * refreshAbsoluteSeconds);
  return Math.max(boundedMs, atMs + 1000 * accessTokenSeconds);
}

function givesRefreshToken(
  client: RegisteredClient,
  scopes: readonly string[],
  upstreamRefreshToken: string | undefined,
): boolean {
  // Relay hands out a refresh token in the place of the upstream's, or none.
  return getsRefreshTokens(client, scopes) && (client.tokens === 'mint' || upstreamRefreshToken !== undefined);
}
