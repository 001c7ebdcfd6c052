import type * as OpenIdClient from 'openid-client';
import type { Claims } from '../grants/decide/claim-at.ts';
import type { UpstreamStep as MeasuredStep } from '../telemetry/metrics.ts';
import { CheckedUpstream, type UpstreamDeps } from './checked-upstream.ts';
import { graphGroups } from './claims/graph-groups.ts';
import { EncryptionKeys } from './encryption-keys.ts';
import { type Configured, OpenIdConfiguration } from './openid-configuration.ts';
import { requireAllowed } from './requests/address-rule.ts';
import { calledMetadata, discoveryAddress, withOrigin } from './requests/back-channel.ts';
import { type BoundedFetch, createBoundedFetch } from './requests/bounded-fetch.ts';
import type { BufferedResponse } from './requests/buffered-response.ts';
import type { UpstreamStep } from './requests/refused-request.ts';
import { UnusableAddressError } from './requests/request-failure.ts';
import type { TokenAnswer } from './requests/token-answer.ts';
import { TokenReply } from './requests/token-reply.ts';
import type {
  CheckedAnswer,
  ProviderMetadata,
  RequestContext,
  TriedClient,
  UpstreamRequests,
  UserinfoAnswer,
} from './requests/upstream-requests.ts';
import { withoutEmpty } from './requests/without-empty.ts';
import { type Upstream, UpstreamError, type UpstreamFault } from './upstream.ts';
import { asUpstreamError, foundNothing, foundOtherIssuer, issuerMismatch } from './upstream-faults.ts';
import type { UpstreamSettings } from './upstream-settings.ts';
import { UserinfoReply } from './userinfo-reply.ts';

/** An upstream that is spoken to with openid-client. Nothing is asked of it before it is first used. */
export function openIdUpstream(settings: UpstreamSettings, dependencies: UpstreamDeps): Upstream {
  return new CheckedUpstream(settings, new OpenIdRequests(settings, dependencies), dependencies);
}

type Send = (...request: Parameters<BoundedFetch>) => Promise<BufferedResponse>;

/** The one place where openid-client is asked to do something. */
class OpenIdRequests implements UpstreamRequests {
  readonly #settings: UpstreamSettings;
  readonly #deps: UpstreamDeps;
  readonly #send: BoundedFetch;
  readonly #configuration: OpenIdConfiguration;
  readonly #encryptionKeys: EncryptionKeys;

  constructor(settings: UpstreamSettings, deps: UpstreamDeps, send = createBoundedFetch(settings)) {
    this.#settings = settings;
    this.#deps = deps;
    this.#encryptionKeys = new EncryptionKeys(settings);
    this.#send = send;
    this.#configuration = new OpenIdConfiguration(settings, deps.clock);
  }

  discover(deadline: AbortSignal): Promise<ProviderMetadata> {
    return this.#measured('discovery', async (send) => {
      const oidc = await import('openid-client');
      const { issuer, clientId, reach } = this.#settings;
      const address = discoveryAddress(issuer, reach);
      const options: OpenIdClient.DiscoveryRequestOptions = {
        // Which addresses may be http is for the one way out to say.
        execute: [oidc.allowInsecureRequests],
        [oidc.customFetch]: async (_url, request) => asResponse(await send(address, request, deadline)),
      };
      const found = await oidc
        .discovery(new URL(issuer), clientId, undefined, undefined, options)
        .catch((error: unknown) => {
          throw foundOtherIssuer(error, issuer) ?? foundNothing(error, address) ?? error;
        });
      const metadata = found.serverMetadata();
      // openid-client compares parsed addresses: `https://a.example` and `https://a.example/` are the same to it.
      if (metadata.issuer !== issuer) throw issuerMismatch(issuer, metadata.issuer);
      return calledMetadata(withoutEmpty({ ...metadata }) as ProviderMetadata, reach);
    });
  }

  keys({ metadata: { jwks_uri: address }, deadline }: RequestContext): Promise<unknown> {
    return this.#measured('keys', async (send) => {
      if (address === undefined) throw new UpstreamError('invalid_answer', 'the upstream’s metadata has no jwks_uri');
      const response = await send(address, { headers: { accept: 'application/json' } }, deadline);
      if (response.status !== 200) throw new UnusableAddressError(`jwks_uri answers ${response.status}`);
      return response.json().catch(() => undefined);
    });
  }

  authorizationAddress(context: RequestContext, request: URLSearchParams): Promise<URL> {
    return this.#ask('authorization', context, async (oidc, config) => {
      const address =
        context.metadata['require_pushed_authorization_requests'] === true
          ? await oidc.buildAuthorizationUrlWithPAR(config, request)
          : oidc.buildAuthorizationUrl(config, request);
      this.#requireVisitable(address);
      return address;
    });
  }

  signOutAddress({ end_session_endpoint: endpoint }: ProviderMetadata): URL | undefined {
    if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined;
    const address = new URL(endpoint);
    address.searchParams.set('client_id', this.#settings.clientId);
    try {
      this.#requireVisitable(address);
      return address;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return undefined;
    }
  }

  /** Of what people's browsers visit: whether it is private is nothing to us. */
  #requireVisitable(address: URL): void {
    const stated = this.#settings.reach.endpoints.end_session;
    const rule = { stated: stated === undefined ? [] : [stated], allowsPrivateAddresses: true };
    requireAllowed(address, { issuer: this.#settings.issuer, ...rule });
  }

  exchangeCode(
    context: RequestContext,
    answered: URL,
    expected: { state: string; nonce: string; codeVerifier: string },
  ): Promise<CheckedAnswer> {
    const reply = new TokenReply(this.#encryptionKeys);
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
      (response) => reply.read(response),
    );
  }

  async refresh(context: RequestContext, refreshToken: string): Promise<CheckedAnswer> {
    const reply = new TokenReply(this.#encryptionKeys);
    try {
      return await this.#ask(
        'refresh',
        context,
        async (oidc, config) => {
          const answer = await oidc.refreshTokenGrant(config, refreshToken);
          return { answer: reply.restored<TokenAnswer>(answer), claims: answer.claims() as Claims | undefined };
        },
        (response) => reply.read(response),
      );
    } catch (error) {
      throw error instanceof UpstreamError ? error.beside(reply.refreshToken) : error;
    }
  }

  async userinfo(context: RequestContext, accessToken: string): Promise<UserinfoAnswer> {
    const reply = new UserinfoReply(this.#encryptionKeys);
    const claims = await this.#ask(
      'userinfo',
      context,
      (oidc, config): Promise<Claims> => oidc.fetchUserInfo(config, accessToken, oidc.skipSubjectCheck),
      (response) => reply.read(response),
    );
    return { claims, signed: reply.signed };
  }

  graphGroups(context: RequestContext, accessToken: string): Promise<string[]> {
    return this.#measured('userinfo', (send) =>
      graphGroups((...request) => send(...request, context.deadline), context.metadata, accessToken),
    );
  }

  revoke(context: RequestContext, token: string, hint: string): Promise<void> {
    return this.#ask('revoke', context, (oidc, config) =>
      oidc.tokenRevocation(config, token, { token_type_hint: hint }),
    );
  }

  visit(address: URL, deadline: AbortSignal): Promise<{ status: number; location: string | undefined }> {
    return this.#measured('probe', async () => {
      const called = withOrigin(address.href, this.#settings.reach.backChannel);
      const { status, headers } = await this.#send.plain(called, {}, deadline);
      return { status, location: headers['location']?.toString() };
    });
  }

  as(client: TriedClient): UpstreamRequests {
    return new OpenIdRequests({ ...this.#settings, ...client }, this.#deps, this.#send);
  }

  tryGrant(context: RequestContext, grantType: string, parameters: Record<string, string>): Promise<void> {
    const reply = new TokenReply(this.#encryptionKeys);
    return this.#ask(
      'probe',
      context,
      async (oidc, config) => {
        await oidc.genericGrantRequest(config, grantType, parameters);
      },
      (response) => reply.read(response),
    );
  }

  /**
   * Does one request. openid-client takes the configuration's `fetch` before it first waits for anything, so each
   * request keeps its own deadline although all of them share one configuration.
   */
  #ask<T>(
    step: UpstreamStep,
    { metadata, deadline }: RequestContext,
    work: (oidc: Configured['oidc'], config: Configured['config']) => Promise<T>,
    onAnswer: (response: BufferedResponse) => Promise<BufferedResponse> | BufferedResponse = (response) => response,
  ): Promise<T> {
    return this.#measured(step, async (send) => {
      const { oidc, config } = await this.#configuration.for(metadata);
      config[oidc.customFetch] = async (url, request) => asResponse(await onAnswer(await send(url, request, deadline)));
      return work(oidc, config);
    });
  }

  /** Turns what is thrown into a fault, and counts those ends that the upstream had a part in. */
  async #measured<T>(step: UpstreamStep, work: (send: Send) => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    let isSent = false;
    const finished = (outcome: 'ok' | UpstreamFault) => {
      if (!isSent || !isMeasured(step)) return;
      this.#deps.metrics?.upstreamAnswered(this.#settings.id, step, outcome, (performance.now() - startedAtMs) / 1000);
    };
    try {
      const done = await work((...request) => {
        isSent = true;
        return this.#send(...request);
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

/** openid-client tells a `Response` by its `toStringTag`, and reads no more of it than there is here. */
function asResponse(answer: BufferedResponse): Response {
  return answer as unknown as Response;
}

function isMeasured(step: UpstreamStep): step is MeasuredStep {
  return !['authorization', 'keys', 'logout token', 'operator token', 'probe'].includes(step);
}
