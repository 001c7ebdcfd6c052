import type * as OpenIdClient from 'openid-client';
import { boundedFetch, isLoopback } from './bounded-fetch.ts';
import { CheckedUpstream, type UpstreamDependencies } from './checked-upstream.ts';
import type { Claims } from './claim-mapping.ts';
import { assertionKey } from './client-authentication.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import type { Upstream } from './upstream.ts';
import { issuerMismatch } from './upstream-faults.ts';
import type { CheckedAnswer, ProviderMetadata, RequestContext, UpstreamRequests } from './upstream-requests.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** An upstream that is spoken to with openid-client. Nothing is asked of it before it is first used. */
export function openIdUpstream(settings: UpstreamSettings, dependencies: UpstreamDependencies): Upstream {
  return new CheckedUpstream(settings, new OpenIdRequests(settings, dependencies.clock), dependencies);
}

/** The one place where openid-client is used. It is loaded at the first request, so that starting does not wait for it. */
class OpenIdRequests implements UpstreamRequests {
  readonly #settings: UpstreamSettings;
  readonly #clock: () => number;
  readonly #isInsecure: boolean;
  #authentication: Promise<OpenIdClient.ClientAuth> | undefined;

  constructor(settings: UpstreamSettings, clock: () => number) {
    this.#settings = settings;
    this.#clock = clock;
    const { protocol, hostname } = new URL(settings.issuer);
    this.#isInsecure = protocol === 'http:' && isLoopback(hostname);
  }

  async discover(deadline: AbortSignal): Promise<ProviderMetadata> {
    const oidc = await import('openid-client');
    const { issuer, clientId } = this.#settings;
    const found = await oidc.discovery(new URL(issuer), clientId, undefined, undefined, {
      execute: this.#isInsecure ? [oidc.allowInsecureRequests] : [],
      [oidc.customFetch]: (url, request) => boundedFetch(url, request, deadline),
    });
    const metadata = found.serverMetadata();
    // openid-client compares parsed addresses, to which `https://a.example` and `https://a.example/` are the same.
    if (metadata.issuer !== issuer) throw issuerMismatch(issuer, metadata.issuer);
    return { ...metadata };
  }

  async authorizationAddress(context: RequestContext, request: URLSearchParams): Promise<URL> {
    const { oidc, config } = await this.#client(context);
    return context.metadata['require_pushed_authorization_requests'] === true
      ? oidc.buildAuthorizationUrlWithPAR(config, request)
      : oidc.buildAuthorizationUrl(config, request);
  }

  async exchangeCode(
    context: RequestContext,
    answered: URL,
    expected: { state: string; nonce: string; codeVerifier: string },
  ): Promise<CheckedAnswer> {
    const { oidc, config } = await this.#client(context);
    const answer = await oidc.authorizationCodeGrant(config, answered, {
      expectedState: expected.state,
      expectedNonce: expected.nonce,
      pkceCodeVerifier: expected.codeVerifier,
      idTokenExpected: true,
    });
    return { answer, claims: answer.claims() as Claims | undefined };
  }

  async refresh(context: RequestContext, refreshToken: string): Promise<CheckedAnswer> {
    const { oidc, config } = await this.#client(context);
    const answer = await oidc.refreshTokenGrant(config, refreshToken);
    return { answer, claims: answer.claims() as Claims | undefined };
  }

  async userinfo(context: RequestContext, accessToken: string): Promise<Claims> {
    const { oidc, config } = await this.#client(context);
    // For an answer that is a signed JWT. ID tokens are checked by the caller, with keys that outlive one operation.
    oidc.enableNonRepudiationChecks(config);
    return oidc.fetchUserInfo(config, accessToken, oidc.skipSubjectCheck);
  }

  async revoke(context: RequestContext, token: string, hint: string): Promise<void> {
    const { oidc, config } = await this.#client(context);
    await oidc.tokenRevocation(config, token, { token_type_hint: hint });
  }

  async ask(context: RequestContext, grantType: string, parameters: Record<string, string>): Promise<void> {
    const { oidc, config } = await this.#client(context);
    await oidc.genericGrantRequest(config, grantType, parameters);
  }

  /** A configuration for one request: it carries that operation's deadline, and our clock in place of the system's. */
  async #client({ metadata, deadline }: RequestContext): Promise<{
    oidc: typeof OpenIdClient;
    config: OpenIdClient.Configuration;
  }> {
    const oidc = await import('openid-client');
    this.#authentication ??= authenticationOf(oidc, this.#settings);
    const server = { ...metadata, id_token_signing_alg_values_supported: signingAlgorithms(metadata) };
    const config = new oidc.Configuration(
      server as OpenIdClient.ServerMetadata,
      this.#settings.clientId,
      { [oidc.clockSkew]: Math.round((this.#clock() - Date.now()) / 1000) },
      await this.#authentication,
    );
    config[oidc.customFetch] = (url, request) => boundedFetch(url, request, deadline);
    if (this.#isInsecure) oidc.allowInsecureRequests(config);
    return { oidc, config };
  }
}

async function authenticationOf(
  oidc: typeof OpenIdClient,
  settings: UpstreamSettings,
): Promise<OpenIdClient.ClientAuth> {
  const secret = settings.clientSecret?.reveal() ?? '';
  switch (settings.authentication) {
    case 'none':
      return oidc.None();
    case 'client_secret_basic':
      return oidc.ClientSecretBasic(secret);
    case 'client_secret_post':
      return oidc.ClientSecretPost(secret);
    case 'private_key_jwt':
      // openid-client makes the issuer the only audience, as RFC 7523bis asks. The type keeps the assertion from being
      // taken for any other token that is signed with the same key.
      return oidc.PrivateKeyJwt(await assertionKey(settings), {
        [oidc.modifyAssertion]: (header) => {
          header['typ'] = 'client-authentication+jwt';
        },
      });
  }
}
