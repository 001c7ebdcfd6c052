import { compactVerify, errors as joseErrors } from 'jose';
import type * as OpenIdClient from 'openid-client';
import type { Logger } from 'pino';
import { Secret } from '../sealing/secret.ts';
import { authorizationRequest, strengthAsked } from './authorization-request.ts';
import { boundedFetch, isLoopback } from './bounded-fetch.ts';
import { type Claims, missingClaims, readSignIn } from './claim-mapping.ts';
import { assertionKey } from './client-authentication.ts';
import { KeptAnswer } from './kept-answer.ts';
import { checkLogoutToken } from './logout-token.ts';
import { checkStrength } from './sign-in-strength.ts';
import {
  type LogoutToken,
  type ProbeReport,
  type Refreshed,
  type RefreshFor,
  type SignIn,
  type TripParameters,
  type Upstream,
  UpstreamError,
  type UpstreamTokens,
} from './upstream.ts';
import { asUpstreamError, issuerMismatch, type UpstreamStep } from './upstream-faults.ts';
import { UpstreamKeys } from './upstream-keys.ts';
import { probeUpstream } from './upstream-probe.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

const HOUR = 60 * 60 * 1000;
/** What a refresh may spend on claims once it has the tokens, which must not be lost to a slow userinfo. */
const RENEWAL_MS = 3000;

export interface OpenIdUpstreamDependencies {
  /** Milliseconds since the epoch. */
  clock: () => number;
  logger?: Pick<Logger, 'warn'> | undefined;
  /** For a whole operation, whatever number of requests it takes. */
  timeoutMs?: number | undefined;
}

/** The adapter over openid-client. It asks nothing of the upstream before it is first used. */
export function openIdUpstream(settings: UpstreamSettings, dependencies: OpenIdUpstreamDependencies): Upstream {
  return new OpenIdUpstream(settings, dependencies);
}

interface Client {
  oidc: typeof OpenIdClient;
  config: OpenIdClient.Configuration;
  metadata: OpenIdClient.ServerMetadata;
}

class OpenIdUpstream implements Upstream {
  readonly id: string;
  readonly displayName: string;
  readonly issuer: string;
  readonly #settings: UpstreamSettings;
  readonly #clock: () => number;
  readonly #logger: Pick<Logger, 'warn'> | undefined;
  readonly #timeoutMs: number;
  readonly #metadata: KeptAnswer<OpenIdClient.ServerMetadata>;
  readonly #keys: UpstreamKeys;
  #authentication: Promise<OpenIdClient.ClientAuth> | undefined;

  constructor(settings: UpstreamSettings, { clock, logger, timeoutMs = 10_000 }: OpenIdUpstreamDependencies) {
    this.id = settings.id;
    this.displayName = settings.displayName;
    this.issuer = settings.issuer;
    this.#settings = settings;
    this.#clock = clock;
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
    const keeping = { clock, timeoutMs, onStale: (error: unknown) => this.#warn('upstream.stale', error) };
    this.#metadata = new KeptAnswer({ ...keeping, freshMs: HOUR, load: (deadline) => this.#discover(deadline) });
    this.#keys = new UpstreamKeys({ ...keeping, load: (deadline) => this.#loadKeys(deadline) });
  }

  signInAddress(trip: TripParameters): Promise<URL> {
    return this.#within('sign-in address', async (deadline) => {
      const { oidc, config, metadata } = await this.#client(deadline);
      const request = authorizationRequest(this.#settings, trip);
      return metadata.require_pushed_authorization_requests === true
        ? oidc.buildAuthorizationUrlWithPAR(config, request)
        : oidc.buildAuthorizationUrl(config, request);
    });
  }

  finishSignIn(callback: URL, trip: TripParameters): Promise<SignIn> {
    return this.#within('sign-in', async (deadline) => {
      const client = await this.#client(deadline);
      // Only the query is the browser's; where it was sent is ours to say, whatever Host or proxy made of it.
      const answered = new URL(trip.redirectUri);
      answered.search = callback.search;
      const answer = await client.oidc.authorizationCodeGrant(client.config, answered, {
        expectedState: trip.state,
        expectedNonce: trip.nonce,
        pkceCodeVerifier: trip.codeVerifier,
        idTokenExpected: true,
      });
      const claims = answer.claims() as Claims;
      await this.#verifySignature(answer.id_token as string, client.metadata);
      const userinfo = await this.#userinfoFor(client, answer.access_token, claims, trip.wantedClaims ?? []);
      requireSameSubject(claims, userinfo);
      const signIn = readSignIn(claims, userinfo ?? {}, this.#settings);
      checkStrength(signIn, strengthAsked(this.#settings, trip), this.#clock());
      return { ...signIn, tokens: tokensOf(answer) };
    });
  }

  async refresh(refreshToken: Secret, session?: RefreshFor): Promise<Refreshed> {
    const { client, answer } = await this.#within('refresh', async (deadline) => {
      const client = await this.#client(deadline);
      return { client, answer: await client.oidc.refreshTokenGrant(client.config, refreshToken.reveal()) };
    });
    const signIn = await this.#renewedSignIn(client, answer, session);
    return { tokens: tokensOf(answer), ...(signIn !== undefined && { signIn }) };
  }

  async revoke(token: Secret, hint: 'access_token' | 'refresh_token'): Promise<boolean> {
    try {
      return await this.#within('revocation', async (deadline) => {
        const { oidc, config, metadata } = await this.#client(deadline);
        if (metadata.revocation_endpoint === undefined) return false;
        await oidc.tokenRevocation(config, token.reveal(), { token_type_hint: hint });
        return true;
      });
    } catch (error) {
      this.#warn('upstream.not_revoked', error);
      return false;
    }
  }

  verifyLogoutToken(logoutToken: string): Promise<LogoutToken> {
    return this.#within('logout token', async () => {
      const metadata = await this.#metadata.current();
      return checkLogoutToken(logoutToken, {
        issuer: this.issuer,
        clientId: this.#settings.clientId,
        algorithms: signingAlgorithms(metadata),
        keys: this.#keys,
        nowMs: this.#clock(),
      });
    });
  }

  probe(redirectUri: string): Promise<ProbeReport> {
    return probeUpstream(redirectUri, {
      settings: this.#settings,
      discover: () => this.#within('discovery', (deadline) => this.#discover(deadline)),
      loadKeys: () => this.#within('keys', (deadline) => this.#loadKeys(deadline)),
      tryCode: (parameters) =>
        this.#within('sign-in', async (deadline) => {
          const { oidc, config } = await this.#client(deadline);
          await oidc.genericGrantRequest(config, 'authorization_code', parameters);
        }),
      signInAddress: (trip) => this.signInAddress(trip),
      timeoutMs: this.#timeoutMs,
    });
  }

  /** The claims of a refreshed session; `undefined` where the upstream said nothing that counts. */
  async #renewedSignIn(
    client: Client,
    answer: TokenAnswer,
    session: RefreshFor | undefined,
  ): Promise<Refreshed['signIn']> {
    const deadline = AbortSignal.timeout(Math.min(RENEWAL_MS, this.#timeoutMs));
    const claims = answer.claims() as Claims | undefined;
    const config = await this.#configuration(client.oidc, client.metadata, deadline);
    let userinfo: Claims | undefined;
    try {
      if (claims !== undefined) await this.#verifySignature(answer.id_token as string, client.metadata);
      const wanted = session?.wantedClaims ?? [];
      userinfo = await this.#userinfoFor({ ...client, config }, answer.access_token, claims ?? {}, wanted);
    } catch (error) {
      const fault = await asUpstreamError(error, 'refresh');
      if (claims !== undefined && fault.fault === 'invalid_answer') throw fault;
      this.#warn('upstream.not_renewed', fault);
      return undefined;
    }
    if (claims !== undefined) requireSameSubject(claims, userinfo);
    if (claims === undefined && userinfo === undefined) return undefined;
    const signIn = readSignIn(claims ?? {}, userinfo ?? {}, this.#settings);
    // OpenID Connect Core §12.2: a refreshed ID token is about the same person.
    if (session !== undefined && signIn.subject !== session.subject) {
      throw new UpstreamError('invalid_answer', 'refresh: the answer is about another subject');
    }
    return signIn;
  }

  /** Asks userinfo where the ID token lacks a mapped or wanted claim and the upstream has such an endpoint. */
  async #userinfoFor(
    { oidc, config, metadata }: Client,
    accessToken: string,
    claims: Claims,
    wanted: readonly string[],
  ): Promise<Claims | undefined> {
    if (metadata.userinfo_endpoint === undefined) return undefined;
    if (missingClaims(claims, this.#settings, wanted).length === 0) return undefined;
    // For an answer that is a signed JWT; the ID token's signature is checked with the keys that we keep.
    oidc.enableNonRepudiationChecks(config);
    try {
      return await oidc.fetchUserInfo(config, accessToken, oidc.skipSubjectCheck);
    } catch (error) {
      const fault = await asUpstreamError(error, 'userinfo');
      // An access token for another audience than userinfo is refused there, which takes nothing from the ID token.
      if (fault.fault !== 'client_rejected') throw fault;
      this.#warn('upstream.userinfo_refused', fault);
      return undefined;
    }
  }

  async #verifySignature(idToken: string, metadata: OpenIdClient.ServerMetadata): Promise<void> {
    await compactVerify(idToken, this.#keys.find, { algorithms: signingAlgorithms(metadata) }).catch(
      (error: unknown) => {
        if (!(error instanceof joseErrors.JOSEError)) throw error;
        throw new UpstreamError('invalid_answer', `ID token: ${error.message}`);
      },
    );
  }

  /** A client for one operation: it carries the deadline and the clock of that operation. */
  async #client(deadline: AbortSignal): Promise<Client> {
    const oidc = await openIdClient();
    const metadata = await this.#metadata.current();
    return { oidc, metadata, config: await this.#configuration(oidc, metadata, deadline) };
  }

  async #configuration(
    oidc: typeof OpenIdClient,
    metadata: OpenIdClient.ServerMetadata,
    deadline: AbortSignal,
  ): Promise<OpenIdClient.Configuration> {
    this.#authentication ??= authenticationOf(oidc, this.#settings);
    const server = { ...metadata, id_token_signing_alg_values_supported: signingAlgorithms(metadata) };
    const skewSeconds = Math.round((this.#clock() - Date.now()) / 1000);
    const { clientId } = this.#settings;
    const authentication = await this.#authentication;
    const config = new oidc.Configuration(server, clientId, { [oidc.clockSkew]: skewSeconds }, authentication);
    config[oidc.customFetch] = (url, init) => boundedFetch(url, init, deadline);
    if (isInsecure(this.issuer)) oidc.allowInsecureRequests(config);
    return config;
  }

  async #discover(deadline: AbortSignal): Promise<OpenIdClient.ServerMetadata> {
    const oidc = await openIdClient();
    try {
      const found = await oidc.discovery(new URL(this.issuer), this.#settings.clientId, undefined, undefined, {
        execute: isInsecure(this.issuer) ? [oidc.allowInsecureRequests] : [],
        [oidc.customFetch]: (url, init) => boundedFetch(url, init, deadline),
      });
      const metadata = found.serverMetadata();
      // openid-client compares addresses, which takes `…/corp` and `…/corp/` of some hosts for the same issuer.
      if (metadata.issuer !== this.issuer) throw issuerMismatch(this.issuer, metadata.issuer);
      return { ...metadata };
    } catch (error) {
      throw await asUpstreamError(error, 'discovery');
    }
  }

  async #loadKeys(deadline: AbortSignal): Promise<unknown> {
    const { jwks_uri: address } = await this.#metadata.current();
    if (address === undefined) throw new UpstreamError('invalid_answer', 'the upstream’s metadata has no jwks_uri');
    const response = await boundedFetch(address, { headers: { accept: 'application/json' } }, deadline);
    if (response.status !== 200) throw new UpstreamError('unavailable', `jwks_uri answers ${response.status}`);
    return response.json().catch(() => undefined);
  }

  async #within<T>(step: UpstreamStep, work: (deadline: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const expiry = new Promise<never>((_resolve, reject) => {
      deadline.addEventListener('abort', () => reject(new UpstreamError('unavailable', `${step}: no answer in time`)));
    });
    try {
      return await Promise.race([work(deadline), expiry]);
    } catch (error) {
      throw await asUpstreamError(error, step);
    }
  }

  #warn(event: string, error: unknown): void {
    const detail = error instanceof UpstreamError ? error.detail : String(error);
    this.#logger?.warn({ event, upstream: this.id, detail }, event);
  }
}

type TokenAnswer = OpenIdClient.TokenEndpointResponse & OpenIdClient.TokenEndpointResponseHelpers;

/** Loaded at first use: a broker should listen before it pays for what only a sign-in needs. */
function openIdClient(): Promise<typeof OpenIdClient> {
  return import('openid-client');
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
      // openid-client makes the issuer the only audience, as draft-ietf-oauth-rfc7523bis §4 asks; so is the type.
      return oidc.PrivateKeyJwt(await assertionKey(settings), {
        [oidc.modifyAssertion]: (header) => {
          header['typ'] = 'client-authentication+jwt';
        },
      });
  }
}

/** Never `none`, and nothing symmetric: a client secret is no signing key. OpenID Connect's default is RS256. */
function signingAlgorithms({ id_token_signing_alg_values_supported: all }: OpenIdClient.ServerMetadata): string[] {
  if (!Array.isArray(all)) return ['RS256'];
  return all.filter((algorithm) => /^(RS|PS|ES|Ed)/.test(String(algorithm)));
}

function isInsecure(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === 'http:' && isLoopback(hostname);
}

function requireSameSubject(idToken: Claims, userinfo: Claims | undefined): void {
  if (userinfo !== undefined && userinfo['sub'] !== idToken['sub']) {
    throw new UpstreamError('invalid_answer', 'userinfo is about another subject than the ID token');
  }
}

function tokensOf(answer: TokenAnswer): UpstreamTokens {
  const { access_token, token_type, expires_in, scope, id_token, refresh_token, ...members } = answer;
  return {
    accessToken: new Secret(access_token),
    tokenType: token_type === 'bearer' ? 'Bearer' : token_type,
    ...(expires_in !== undefined && { expiresInSeconds: expires_in }),
    ...(scope !== undefined && { scopes: scope.split(' ').filter((word) => word !== '') }),
    ...(id_token !== undefined && { idToken: new Secret(id_token) }),
    ...(refresh_token !== undefined && { refreshToken: new Secret(refresh_token) }),
    members,
  };
}
