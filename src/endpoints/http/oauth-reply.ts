import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { isReadableElsewhere } from '../../ledger/versioned-seal.ts';
import { OAuthError, RETRY_LATER } from '../../oauth/oauth-error.ts';
import { quotable } from '../../oauth/quotable.ts';
import type { DeviceReply } from './endpoint.ts';

/** Ready-made, since nine tenths of all answers are this one. */
export const PENDING_REPLY: DeviceReply = {
  status: 400,
  body: '{"error":"authorization_pending","error_description":"the person has not decided yet"}',
};

/** The error response of RFC 6749 §5.2. */
export function oauthErrorReply(error: OAuthError, members: Record<string, unknown> = {}): DeviceReply {
  return {
    status: error.status,
    headers: error.headers,
    body: { error: error.code, error_description: error.description, ...members },
  };
}

/** Something was asked for that nobody was shown (RFC 6749 §6, RFC 8707 §2.2), said with what was asked. */
export function notApproved(code: 'invalid_scope' | 'invalid_target', asked: readonly string[]): OAuthError {
  const how = asked.length === 1 ? 'not' : 'not all';
  return new OAuthError(code, `${how} part of what was approved: ${quotable(asked.join(' '))}`);
}

/**
 * Any error as the refusal that a device is given: our own trouble never looks like its fault, and says nothing of what
 * it was. `undefined` cause means that it was expected.
 */
export function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (error instanceof StorageUnavailableError || isReadableElsewhere(error)) {
    return new OAuthError('temporarily_unavailable', 'try again in a moment', {
      headers: RETRY_LATER,
      detail: error.message,
      cause: error,
    });
  }
  return new OAuthError('server_error', 'something went wrong here; the reference is in X-Request-Id', {
    cause: error,
  });
}
