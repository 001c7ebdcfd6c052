import { afterAttempt } from '../ledger/attempt.ts';
import { sessionEntry } from '../ledger/entry-keys.ts';
import { type Form, openVersioned, sealVersioned } from '../ledger/versioned-seal.ts';
import type { Sealing } from '../sealing/sealing.ts';

/**
 * Device sessions are what redeemed grants become: a chain of refresh tokens, a line in "my devices", and an end. The
 * grant's own rules are in `grants/`, the tokens' form in `tokens/`.
 *
 * A session shares the id of its grant, so a second redemption after a lossy failover yields the same session. What is
 * kept here is what management needs to see: sealed under the sealing key alone. Credentials and claims are in the
 * refresh entries, which open only with the refresh token.
 */
export interface DeviceSession {
  id: string;
  clientId: string;
  upstream: string;
  subject: string;
  /** The upstream's own `sub`, where that is not the subject. */
  upstreamSub?: string | undefined;
  /** For display: e-mail address or name. */
  account: string;
  /** The upstream's session, for back-channel logout. */
  sid?: string | undefined;
  scopes: readonly string[];
  resources: readonly string[];
  deviceLabel?: string | undefined;
  userAgent?: string | undefined;
  source: string;
  /** The issuer that the grant was started at, where it is not `public_url`. */
  issuer?: string | undefined;
  /** The DPoP key that every refresh must show. */
  jkt?: string | undefined;
  signedInAtMs: number;
  startedAtMs: number;
  /** The absolute end; nothing of the session outlives it. */
  endsAtMs: number;
  /** The sealing key that the refresh chain is derived with. */
  keyName: string;
}

const FORM: Form = { kind: 'session', format: 1 };

export async function sealSession(attempt: string, session: DeviceSession, sealing: Sealing): Promise<string> {
  return `${attempt}|${await sealVersioned(sealing, FORM, session, sessionEntry(session.id))}`;
}

/** @throws {SealBrokenError} when no broker wrote it for this id */
export async function openSession(id: string, stored: string, sealing: Sealing): Promise<DeviceSession> {
  return openVersioned(sealing, FORM, afterAttempt(stored), sessionEntry(id));
}
