import { UpstreamError } from '../upstream.ts';
import { quoteError } from './foreign-text.ts';

/** What a token, revocation or userinfo endpoint said when it refused. */
export interface Refusal {
  /** `undefined` where the answer names none. */
  error: string | undefined;
  description: string | undefined;
  status: number | undefined;
}

const CHECK_CREDENTIALS =
  'it does not accept our client credentials: check client_id, client_secret and authentication of this upstream, ' +
  'and that the client exists and is enabled there (Keycloak answers unauthorized_client to a wrong secret)';

/** Keycloak's words for an account without the role that offline tokens need. */
const CHECK_ACCOUNT =
  'in Keycloak the account lacks the realm role offline_access, or the client may not ask for that scope: give the ' +
  'role, or take offline_access out of the scopes of this upstream';

/** A refresh token that is gone, in the words of servers whose error code does not say it (Dex: `invalid_request`). */
const REFRESH_TOKEN = /refresh[ _-]?token/i;
const IS_GONE =
  /invalid|expired|revoked|claimed|unknown|not (valid|found|active)|no longer|used|inactive|does ?n[o']t exist/i;

/**
 * RFC 6749 §5.2, with what providers in the field really answer. The error code decides: a status that does not fit to
 * it, or a challenge beside it, says nothing more.
 */
export function refusedRequest(step: UpstreamStep, refusal: Refusal): UpstreamError {
  const { error = 'no_error', description, status } = refusal;
  const detail = `${step}: the upstream answers ${quoteError(error, description)} (status ${status})`;
  const isRefresh = step === 'refresh';
  switch (error) {
    case 'invalid_client':
    case 'unauthorized_client':
      return new UpstreamError('client_rejected', `${detail}; ${CHECK_CREDENTIALS}`);
    case 'invalid_grant':
      return new UpstreamError(isRefresh || step === 'probe' ? 'invalid_grant' : 'invalid_answer', detail);
    case 'access_denied':
      return new UpstreamError(isRefresh ? 'invalid_grant' : 'access_denied', detail);
    case 'interaction_required':
    case 'login_required':
    case 'consent_required':
      // Nobody is there to sign in again at a refresh, so the token is as good as ended.
      return new UpstreamError(isRefresh ? 'invalid_grant' : 'not_signed_in', detail);
    case 'temporarily_unavailable':
    case 'server_error':
    case 'slow_down':
      return new UpstreamError('unavailable', detail);
    case 'unsupported_grant_type':
    case 'invalid_scope':
    case 'invalid_target':
      return new UpstreamError('client_rejected', `${detail}; check what the client may do there`);
    case 'not_allowed':
      return new UpstreamError(isRefresh ? 'invalid_grant' : 'sign_in_refused', `${detail}; ${CHECK_ACCOUNT}`);
    default:
      return isRefresh ? refusedRefresh(refusal, detail) : refusedWithoutCode(refusal, detail);
  }
}

/** A code that says nothing by itself; the only token that a refresh sends is the refresh token. */
function refusedRefresh(refusal: Refusal, detail: string): UpstreamError {
  const { error, description = '', status } = refusal;
  const saysGone = REFRESH_TOKEN.test(description) && IS_GONE.test(description);
  if (error === 'invalid_token' || error === 'expired_token' || (status === 400 && saysGone)) {
    return new UpstreamError('invalid_grant', detail);
  }
  if (status === 400) {
    return new UpstreamError('refresh_refused', `${detail}; most likely the refresh token is no longer good there`);
  }
  return refusedWithoutCode(refusal, detail);
}

function refusedWithoutCode({ status }: Refusal, detail: string): UpstreamError {
  if (status === 401) return new UpstreamError('client_rejected', `${detail}; ${CHECK_CREDENTIALS}`);
  return new UpstreamError('invalid_answer', detail);
}

/** What was being done when it failed; the same error means different things at different steps. */
export type UpstreamStep =
  | 'discovery'
  | 'keys'
  | 'authorization'
  | 'token'
  | 'userinfo'
  | 'refresh'
  | 'operator token'
  | 'revoke'
  | 'logout token'
  | 'probe';
