/**
 * The protocol's vocabulary: error codes, grant types, parameters, metadata. Plain data from the standards, imported by
 * everybody; nothing of ours is imported here.
 */

/** Code → HTTP status and the section that defines it. The table of docs/protocol.md is compared with this one. */
export const OAUTH_ERRORS = {
  invalid_request: { status: 400, source: 'RFC 6749 §5.2' },
  invalid_client: { status: 401, source: 'RFC 6749 §5.2' },
  invalid_grant: { status: 400, source: 'RFC 6749 §5.2' },
  unauthorized_client: { status: 400, source: 'RFC 6749 §5.2' },
  unsupported_grant_type: { status: 400, source: 'RFC 6749 §5.2' },
  invalid_scope: { status: 400, source: 'RFC 6749 §5.2' },
  invalid_target: { status: 400, source: 'RFC 8707 §2' },
  authorization_pending: { status: 400, source: 'RFC 8628 §3.5' },
  slow_down: { status: 400, source: 'RFC 8628 §3.5' },
  access_denied: { status: 400, source: 'RFC 8628 §3.5' },
  expired_token: { status: 400, source: 'RFC 8628 §3.5' },
  invalid_dpop_proof: { status: 400, source: 'RFC 9449 §5' },
  use_dpop_nonce: { status: 400, source: 'RFC 9449 §8' },
  invalid_token: { status: 401, source: 'RFC 6750 §3.1' },
  insufficient_scope: { status: 403, source: 'RFC 6750 §3.1' },
  unsupported_token_type: { status: 400, source: 'RFC 7009 §2.2.1' },
  temporarily_unavailable: { status: 503, source: 'RFC 6749 §4.1.2.1' },
  server_error: { status: 500, source: 'RFC 6749 §4.1.2.1' },
} as const;

export type OAuthErrorCode = keyof typeof OAUTH_ERRORS;

/** After trouble of ours: a device that polls every 5 s is not kept waiting for longer than that. */
export const RETRY_LATER = { 'Retry-After': '5' } as const;

/**
 * A refusal at the device door, in three texts: `code` for machines, `description` for the client's developer,
 * `detail` (and `cause`) for our log alone.
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  readonly description: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: string | undefined;

  constructor(
    code: OAuthErrorCode,
    description: string,
    more: { status?: number; headers?: Record<string, string>; detail?: string; cause?: unknown } = {},
  ) {
    super(`${code}: ${description}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.description = description;
    this.status = more.status ?? OAUTH_ERRORS[code].status;
    this.headers = more.headers ?? {};
    this.detail = more.detail;
  }
}
