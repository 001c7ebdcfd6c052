import type { ListedSession } from '../../device-sessions/list-sessions.ts';

/** A device session as programs read it, here and from `gatehouse sessions list --json`. No credential is in it. */
export function sessionForPrograms({ session, name, lastUsedAtMs, ended }: ListedSession): Record<string, unknown> {
  return {
    session: session.id,
    client: session.clientId,
    upstream: session.upstream,
    subject: session.subject,
    account: session.account,
    name: name ?? null,
    device_label: session.deviceLabel ?? null,
    user_agent: session.userAgent ?? null,
    source: session.source,
    scopes: session.scopes,
    resources: session.resources,
    signed_in_at: timeOf(session.signedInAtMs),
    started_at: timeOf(session.startedAtMs),
    last_used_at: timeOf(lastUsedAtMs),
    ends_at: timeOf(session.endsAtMs),
    ended: ended ?? null,
  };
}

/** RFC 3339. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
