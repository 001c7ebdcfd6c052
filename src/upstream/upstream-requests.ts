import type { Claims } from './claim-mapping.ts';
import type { TokenAnswer } from './token-answer.ts';

/** What an upstream publishes about itself (OpenID Connect Discovery §3), as far as it matters here. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly jwks_uri?: string;
  readonly userinfo_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly id_token_signing_alg_values_supported?: string[];
  readonly [member: string]: unknown;
}

/** What was said, to whom and until when. */
export interface RequestContext {
  metadata: ProviderMetadata;
  deadline: AbortSignal;
}

/** A token answer whose ID token, where it has one, was checked in all but its signature. */
export interface CheckedAnswer {
  answer: TokenAnswer;
  claims: Claims | undefined;
}

/**
 * The requests that an upstream understands, one by one. openid-client makes them and checks the answers' form; what
 * goes wrong is thrown as an `UpstreamError`.
 */
export interface UpstreamRequests {
  discover(deadline: AbortSignal): Promise<ProviderMetadata>;
  authorizationAddress(context: RequestContext, request: URLSearchParams): Promise<URL>;
  /** @param answered the redirect URI with the query that the browser brought */
  exchangeCode(
    context: RequestContext,
    answered: URL,
    expected: { state: string; nonce: string; codeVerifier: string },
  ): Promise<CheckedAnswer>;
  refresh(context: RequestContext, refreshToken: string): Promise<CheckedAnswer>;
  /** Whom the answer is about is the caller's to check. */
  userinfo(context: RequestContext, accessToken: string): Promise<Claims>;
  revoke(context: RequestContext, token: string, hint: string): Promise<void>;
  /** A token request of the caller's making, for a probe. */
  tryGrant(context: RequestContext, grantType: string, parameters: Record<string, string>): Promise<void>;
}
