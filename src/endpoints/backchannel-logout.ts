import { createHash } from 'node:crypto';
import { type Mark, setMark } from '../grants/revocation-marks.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { UsedOnce } from '../ledger/once.ts';
import type { DecryptionLimits, DecryptionVerdict } from '../limits/decryption-limits.ts';
import { isEncrypted } from '../oauth/encryption-algorithms.ts';
import { OAuthError, RETRY_LATER } from '../oauth/oauth-error.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { type LogoutToken, type Upstream, UpstreamError } from '../upstream/upstream.ts';
import type { DeviceRequest, Endpoint } from './http/endpoint.ts';

export interface BackchannelLogoutDeps {
  ledger: Ledger;
  sealing: Sealing;
  used: UsedOnce;
  upstream: Pick<Upstream, 'id' | 'verifyLogoutToken'>;
  decryptionLimits: DecryptionLimits;
  /** How long what was signed in until now may still live, in milliseconds. */
  longestRetentionMs: number;
  onLogout: (request: DeviceRequest, upstream: string, token: LogoutToken) => void;
}

/**
 * Every logout token is refused after ten minutes by its age, whatever its `exp`; as much as five minutes each way are
 * for a clock that differs (`clock_tolerance`). This is longer.
 */
const REMEMBERED_MS = 21 * 60 * 1000;

/**
 * OpenID Connect Back-Channel Logout §2.8. Its marks end everything that was signed in before: device sessions, and what
 * was approved and not yet redeemed. A token with `sid` counts for that session at the upstream, and with `sub` beside it
 * for what that person signed in without a `sid`, which may belong to it.
 *
 * The moment is that of the token's arrival, not its `iat`: were the upstream's clock behind ours, a logout right after a
 * sign-in would miss it.
 */
export function createBackchannelLogout(deps: BackchannelLogoutDeps): Endpoint {
  return async (request) => {
    const sent = request.form.need('logout_token');
    const place = isEncrypted(sent) ? await takePlace(deps, request) : undefined;
    const token = await verified(deps, sent, place);
    const name = `logout:${createHash('sha256')
      .update(JSON.stringify([deps.upstream.id, token.jti]))
      .digest('base64url')}`;
    // Noted as used only after its marks: had the storage failed in between, the upstream's retry must still count.
    if (await deps.used.wasUsed(name)) throw refused('the token was used before');
    const nowMs = await deps.ledger.now();
    const marks = marksOf(deps.upstream.id, token);
    await Promise.all(marks.map((mark) => setMark(deps, mark, nowMs, nowMs + deps.longestRetentionMs)));
    if (!(await deps.used.useOnce(name, nowMs + REMEMBERED_MS))) throw refused('the token was used before');
    await place?.giveBack();
    deps.onLogout(request, deps.upstream.id, token);
    return { status: 200 };
  };
}

function marksOf(upstream: string, { sid, sub }: LogoutToken): Mark[] {
  if (sid === undefined) return sub === undefined ? [] : [{ mark: 'logout_subject', upstream, sub }];
  const ofSession: Mark = { mark: 'logout_sid', upstream, sid };
  return sub === undefined ? [ofSession] : [ofSession, { mark: 'logout_unknown_sid', upstream, sub }];
}

type Place = Extract<DecryptionVerdict, { verdict: 'admitted' }>;

async function takePlace(deps: BackchannelLogoutDeps, request: DeviceRequest): Promise<Place> {
  const attempt = { source: request.source(), nowMs: await deps.ledger.now() };
  const admission = await deps.decryptionLimits.admit(attempt);
  if (admission.verdict === 'admitted') return admission;
  throw new OAuthError(
    'temporarily_unavailable',
    'too many encrypted tokens from here were not valid; try again later',
    {
      status: 429,
      headers: { 'Retry-After': String(admission.retryAfterSeconds) },
      detail: 'encrypted_logout_tokens',
    },
  );
}

async function verified(
  { upstream }: BackchannelLogoutDeps,
  logoutToken: string,
  place: Place | undefined,
): Promise<LogoutToken> {
  try {
    return await upstream.verifyLogoutToken(logoutToken);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.fault === 'invalid_answer') throw refused(error.detail);
    // That the keys cannot be had is no fault of the token's: the provider sends it again.
    await place?.giveBack();
    throw new OAuthError('temporarily_unavailable', 'the keys of the issuer cannot be had; try again', {
      headers: RETRY_LATER,
      detail: error.detail,
      cause: error,
    });
  }
}

/** The sender learns that the token does not do, and not why. */
function refused(detail: string): OAuthError {
  return new OAuthError('invalid_request', 'the logout token is not valid', { detail });
}
