import type { BeginSession, Redemption } from '../grants/redeem/redemption.ts';
import { sessionLife } from '../grants/session-life.ts';
import { refreshEntry, sessionEntry } from '../ledger/entry-keys.ts';
import type { Entry } from '../ledger/ledger.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { type DeviceSession, sealSession } from './device-session.ts';
import { encodeRefreshState, firstSalt } from './refresh/refresh-state.ts';
import { firstRefreshToken, formatRefreshToken } from './refresh/refresh-token.ts';

/**
 * The entries with which a redemption starts a device session. All of it follows from the device code and the grant's
 * sealing key, so a second redemption after a failover that lost the first makes the same session, not another one.
 */
export function createBeginSession(
  sealing: Sealing,
  uncheckedSessionSeconds: (upstream: string) => number,
): BeginSession {
  return async (redemption, deviceCode, attempt) => {
    const { client, grant, approval, atMs } = redemption;
    const { refreshIdleSeconds } = client.lifetimes;
    const { refreshes, endsAtMs } = sessionLife(redemption, uncheckedSessionSeconds(approval.upstream));
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
