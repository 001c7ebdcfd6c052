import type { Claims } from '../../grants/decide/claim-at.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';
import type { TokenAnswer } from './token-answer.ts';

/** What an upstream publishes about itself (OpenID Connect Discovery §3), as far as it matters here. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly token_endpoint?: string;
  /** `token_endpoint` as the provider names it, wherever we call it: how it knows itself. */
  readonly published_token_endpoint?: string;
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

export interface UserinfoAnswer {
  claims: Claims;
  /** The JWT that the claims came in, where they came in one. */
  signed: string | undefined;
}

/** Whom a probe pretends to be, where that differs from the settings. */
export type TriedClient = Partial<Pick<UpstreamSettings, 'clientId' | 'clientSecret' | 'assertionKey'>>;

/**
 * The requests that an upstream understands, one by one. openid-client makes them and checks the answers' form; what
 * goes wrong is thrown as an `UpstreamError`.
 */
export interface UpstreamRequests {
  /** What the provider publishes, with the addresses that we call in place of those that it names (`back-channel.ts`). */
  discover(deadline: AbortSignal): Promise<ProviderMetadata>;
  /** The answer at `jwks_uri`, as it came. */
  keys(context: RequestContext): Promise<unknown>;
  authorizationAddress(context: RequestContext, request: URLSearchParams): Promise<URL>;
  /** @param answered the redirect URI with the query that the browser brought */
  /** Where people sign out (OpenID Connect RP-Initiated Logout §2.1). */
  signOutAddress(metadata: ProviderMetadata): URL | undefined;
  exchangeCode(
    context: RequestContext,
    answered: URL,
    expected: { state: string; nonce: string; codeVerifier: string },
  ): Promise<CheckedAnswer>;
  refresh(context: RequestContext, refreshToken: string): Promise<CheckedAnswer>;
  /** Whom the answer is about, and who signed it, is the caller's to check. */
  userinfo(context: RequestContext, accessToken: string): Promise<UserinfoAnswer>;
  /** The ids of all groups that the person of this access token is in, from Microsoft Graph. */
  graphGroups(context: RequestContext, accessToken: string): Promise<string[]>;
  revoke(context: RequestContext, token: string, hint: string): Promise<void>;
  /** Looks at the page where people sign in, as their browser would, and follows nothing; for a probe. */
  visit(address: URL, deadline: AbortSignal): Promise<{ status: number; location: string | undefined }>;
  /** The same requests in the name of another client, or with other credentials, for a probe. */
  as(client: TriedClient): UpstreamRequests;
  /** A token request of the caller's making, for a probe. */
  tryGrant(context: RequestContext, grantType: string, parameters: Record<string, string>): Promise<void>;
}
