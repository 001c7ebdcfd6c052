import type * as OpenIdClient from 'openid-client';
import { isLoopback } from '../network/loopback.ts';
import type { UpstreamStep as MeasuredStep } from '../telemetry/metrics.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { CheckedUpstream, type UpstreamDependencies } from './checked-upstream.ts';
import type { Claims } from './claim-mapping.ts';
import { assertionKey, basicCredentials } from './client-authentication.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import type { TokenAnswer } from './token-answer.ts';
import { TokenReply } from './token-reply.ts';
import { type Upstream, UpstreamError, type UpstreamFault } from './upstream.ts';
import {
  asUpstreamError,
  foundNothing,
  foundOtherIssuer,
  issuerMismatch,
  type UpstreamStep,
} from './upstream-faults.ts';
import type { CheckedAnswer, ProviderMetadata, RequestContext, UpstreamRequests } from './upstream-requests.ts';
import type { UpstreamSettings } from './upstream-settings.ts';
import { withoutEmpty } from './without-empty.ts';

/** An upstream that is spoken to with openid-client. Nothing is asked of it before it is first used. */
export function openIdUpstream(settings: UpstreamSettings, dependencies: UpstreamDependencies): Upstream {
  return new CheckedUpstream(settings, new OpenIdRequests(settings, dependencies), dependencies);
}

type Library = typeof OpenIdClient;
type Configuration = OpenIdClient.Configuration;

/** The one place where openid-client is used. It is loaded at the first request, so that starting need not wait for it. */
class OpenIdRequests implements UpstreamRequests {
  readonly #settings: UpstreamSettings;
  readonly #clock: () => number;
  readonly #metrics: UpstreamDependencies['metrics'];
  readonly #isInsecure: boolean;
  #authentication: Promise<OpenIdClient.ClientAuth> | undefined;

  constructor(settings: UpstreamSettings, { clock, metrics }: UpstreamDependencies) {
    this.#settings = settings;
    this.#clock = clock;
    this.#metrics = metrics;
    const { protocol, hostname } = new URL(settings.issuer);
    this.#isInsecure = protocol === 'http:' && isLoopback(hostname);
  }

  discover(deadline: AbortSignal): Promise<ProviderMetadata> {
    return this.#measured('discovery', async (send) => {
      const oidc = await import('openid-client');
      const { issuer, clientId } = this.#settings;
      const options: OpenIdClient.DiscoveryRequestOptions = {
        execute: this.#isInsecure ? [oidc.allowInsecureRequests] : [],
        [oidc.customFetch]: (url, request) => send(url, request, deadline),
      };
      const found = await oidc
        .discovery(new URL(issuer), clientId, undefined, undefined, options)
        .catch((error: unknown) => {
          throw foundOtherIssuer(error, issuer) ?? foundNothing(error, issuer) ?? error;
        });
      const metadata = found.serverMetadata();
      // openid-client compares parsed addresses: `https://a.example` and `https://a.example/` are the same to it.
      if (metadata.issuer !== issuer) throw issuerMismatch(issuer, metadata.issuer);
      return withoutEmpty({ ...metadata }) as ProviderMetadata;
    });
  }

  authorizationAddress(context: RequestContext, request: URLSearchParams): Promise<URL> {
    return this.#ask('authorization', context, async (oidc, config) =>
      context.metadata['require_pushed_authorization_requests'] === true
        ? oidc.buildAuthorizationUrlWithPAR(config, request)
        : oidc.buildAuthorizationUrl(config, request),
    );
  }

  exchangeCode(
    context: RequestContext,
    answered: URL,
    expected: { state: string; nonce: string; codeVerifier: string },
  ): Promise<CheckedAnswer> {
    const reply = new TokenReply();
    return this.#ask(
      'token',
      context,
      async (oidc, config) => {
        const answer = await oidc.authorizationCodeGrant(config, answered, {
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          pkceCodeVerifier: expected.codeVerifier,
          idTokenExpected: true,
        });
        return { answer: reply.restored<TokenAnswer>(answer), claims: answer.claims() as Claims | undefined };
      },
      reply,
    );
  }

  async refresh(context: RequestContext, refreshToken: string): Promise<CheckedAnswer> {
    const reply = new TokenReply();
    try {
      return await this.#ask(
        'refresh',
        context,
        async (oidc, config) => {
          const answer = await oidc.refreshTokenGrant(config, refreshToken);
          return { answer: reply.restored<TokenAnswer>(answer), claims: answer.claims() as Claims | undefined };
        },
        reply,
      );
    } catch (error) {
      throw error instanceof UpstreamError ? error.beside(reply.refreshToken) : error;
    }
  }

  userinfo(context: RequestContext, accessToken: string): Promise<Claims> {
    return this.#ask('userinfo', context, async (oidc, config) => {
      // For an answer that is a signed JWT. ID tokens are checked by the caller, with keys that outlive one operation.
      oidc.enableNonRepudiationChecks(config);
      return oidc.fetchUserInfo(config, accessToken, oidc.skipSubjectCheck);
    });
  }

  revoke(context: RequestContext, token: string, hint: string): Promise<void> {
    return this.#ask('revoke', context, (oidc, config) =>
      oidc.tokenRevocation(config, token, { token_type_hint: hint }),
    );
  }

  tryGrant(context: RequestContext, grantType: string, parameters: Record<string, string>): Promise<void> {
    return this.#ask(
      'probe',
      context,
      async (oidc, config) => {
        await oidc.genericGrantRequest(config, grantType, parameters);
      },
      new TokenReply(),
    );
  }

  /** Does one request with a configuration of its own, which carries the deadline and our clock. */
  #ask<T>(
    step: UpstreamStep,
    { metadata, deadline }: RequestContext,
    work: (oidc: Library, config: Configuration) => Promise<T>,
    reply?: TokenReply,
  ): Promise<T> {
    return this.#measured(step, async (send) => {
      const oidc = await import('openid-client');
      this.#authentication ??= authenticationOf(oidc, this.#settings);
      const server = { ...metadata, id_token_signing_alg_values_supported: signingAlgorithms(metadata) };
      const config = new oidc.Configuration(
        server as OpenIdClient.ServerMetadata,
        this.#settings.clientId,
        { [oidc.clockSkew]: Math.round((this.#clock() - Date.now()) / 1000) },
        await this.#authentication,
      );
      config[oidc.customFetch] = async (url, request) => {
        const response = await send(url, request, deadline);
        return reply === undefined ? response : reply.read(response);
      };
      if (this.#isInsecure) oidc.allowInsecureRequests(config);
      return work(oidc, config);
    });
  }

  /** Turns what is thrown into a fault, and counts those ends that the upstream had a part in. */
  async #measured<T>(step: UpstreamStep, work: (send: typeof boundedFetch) => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    let isSent = false;
    const finished = (outcome: 'ok' | UpstreamFault) => {
      if (!isSent || !isMeasured(step)) return;
      this.#metrics?.upstreamAnswered(this.#settings.id, step, outcome, (performance.now() - startedAtMs) / 1000);
    };
    try {
      const done = await work((...request) => {
        isSent = true;
        return boundedFetch(...request);
      });
      finished('ok');
      return done;
    } catch (error) {
      const fault = await asUpstreamError(error, step);
      finished(fault.fault);
      throw fault;
    }
  }
}

function isMeasured(step: UpstreamStep): step is MeasuredStep {
  return !['authorization', 'keys', 'logout token', 'probe'].includes(step);
}

async function authenticationOf(oidc: Library, settings: UpstreamSettings): Promise<OpenIdClient.ClientAuth> {
  const secret = settings.clientSecret?.reveal() ?? '';
  switch (settings.authentication) {
    case 'none':
      return oidc.None();
    case 'client_secret_basic':
      return (_server, _client, _body, headers) => {
        headers.set('authorization', basicCredentials(settings.clientId, secret));
      };
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
