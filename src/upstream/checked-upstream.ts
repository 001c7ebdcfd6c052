import { claimAt } from '../grants/decide/claim-at.ts';
import type { Secret } from '../sealing/secret.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { authorizationRequest, strengthAsked } from './authorization-request.ts';
import { readSignIn, requireSameSubject } from './claims/claim-mapping.ts';
import { requireSubject } from './claims/require-subject.ts';
import { checkStrength } from './claims/sign-in-strength.ts';
import { EncryptionKeys } from './encryption-keys.ts';
import { offersOtherAccount } from './offered-prompt.ts';
import { probeUpstream } from './probe/upstream-probe.ts';
import { askBeside, type Beside } from './requests/ask-beside.ts';
import { KeptAnswer } from './requests/kept-answer.ts';
import type { UpstreamStep } from './requests/refused-request.ts';
import { UnansweredError } from './requests/request-failure.ts';
import { tokensOf } from './requests/token-answer.ts';
import type {
  CheckedAnswer,
  ProviderMetadata,
  RequestContext,
  UpstreamRequests,
} from './requests/upstream-requests.ts';
import { withinDeadline } from './requests/within-deadline.ts';
import { createSentTokens } from './sent-tokens.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import {
  type FrontChannelLogout,
  type NeededClaims,
  type OtherAccount,
  OtherSubjectError,
  type ProbeReport,
  type Refreshed,
  type RefreshFor,
  type ResponseMode,
  type SignIn,
  type TripParameters,
  type Upstream,
  UpstreamError,
} from './upstream.ts';
import { UpstreamKeys } from './upstream-keys.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

const HOUR = 60 * 60 * 1000;
/** A person is sent without asking to an upstream that answered this short a time ago. */
const LOOK_MS = 10_000;
/** What a refresh may spend on claims once it has the new tokens, which must not be lost to a slow userinfo. */
const MAX_RENEWAL_MS = 3000;

export interface UpstreamDeps {
  /** Milliseconds since the epoch. */
  clock: () => number;
  logger?: Pick<Logger, 'event'> | undefined;
  metrics?: Pick<Metrics, 'upstreamAnswered'> | undefined;
  /** In place of the settings' own. */
  timeoutMs?: number | undefined;
}

/** The port's operations: which requests each one takes, and what must be true of their answers. */
export class CheckedUpstream implements Upstream {
  readonly id: string;
  readonly displayName: string;
  readonly issuer: string;
  readonly responseMode: ResponseMode;
  readonly frontChannelLogout: FrontChannelLogout;
  readonly uncheckedSessionSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly verifyLogoutToken: Upstream['verifyLogoutToken'];
  readonly verifyOperatorToken: Upstream['verifyOperatorToken'];
  readonly #settings: UpstreamSettings;
  readonly #requests: UpstreamRequests;
  readonly #clock: () => number;
  readonly #logger: Pick<Logger, 'event'> | undefined;
  readonly #timeoutMs: number;
  readonly #metadata: KeptAnswer<ProviderMetadata>;
  readonly #keys: UpstreamKeys;

  constructor(
    settings: UpstreamSettings,
    requests: UpstreamRequests,
    { clock, logger, timeoutMs = settings.reach.timeoutSeconds * 1000 }: UpstreamDeps,
  ) {
    this.id = settings.id;
    this.displayName = settings.displayName;
    this.issuer = settings.issuer;
    this.responseMode = settings.responseMode;
    this.frontChannelLogout = settings.frontChannelLogout;
    this.uncheckedSessionSeconds = settings.uncheckedSessionSeconds;
    this.clockToleranceSeconds = settings.clockToleranceSeconds;
    this.#settings = settings;
    this.#requests = requests;
    this.#clock = clock;
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
    const keeping = { clock, timeoutMs, onStale: (error: unknown) => this.#report('stale answers are used', error) };
    this.#metadata = new KeptAnswer({ ...keeping, freshMs: HOUR, load: (deadline) => requests.discover(deadline) });
    this.#keys = new UpstreamKeys({
      ...keeping,
      load: async (deadline) => requests.keys({ metadata: await this.#metadata.current(), deadline }),
    });
    const encryptionKeys = new EncryptionKeys(settings);
    const metadata = () => this.#metadata.current();
    const sent = createSentTokens({ settings, keys: this.#keys, encryptionKeys, metadata, clock, timeoutMs });
    this.verifyLogoutToken = sent.verifyLogoutToken;
    this.verifyOperatorToken = sent.verifyOperatorToken;
  }

  async signInAddress(trip: TripParameters): Promise<URL> {
    // A browser that is sent to an upstream that is away sees an error that says nothing of us. Any answer will do.
    await this.#metadata.look(LOOK_MS).catch((error: unknown) => {
      if (error instanceof UnansweredError) throw error;
    });
    return this.#within('authorization', (context) =>
      this.#requests.authorizationAddress(context, authorizationRequest(this.#settings, trip, context.metadata)),
    );
  }

  async otherAccount(): Promise<OtherAccount> {
    try {
      return await this.#within('authorization', async ({ metadata }) => ({
        isAskedFor: offersOtherAccount(metadata['prompt_values_supported']),
        signOutAt: this.#requests.signOutAddress(metadata)?.href,
      }));
    } catch (error) {
      // The way there will say what is wrong.
      this.#report('whether another account can be chosen is not known', error);
      return { isAskedFor: true };
    }
  }

  finishSignIn(callback: URL, trip: TripParameters): Promise<SignIn> {
    return this.#within('token', async (context) => {
      // Only the query is the browser's. Which address it was sent to is ours to say, whatever a proxy made of it.
      const answered = new URL(trip.redirectUri);
      answered.search = callback.search;
      const checked = await this.#requests.exchangeCode(context, answered, trip);
      await this.#verifyIdToken(context, checked);
      const { claims, userinfo, failure, isRequired } = await this.#askBeside(context, checked, trip.neededClaims);
      if (failure !== undefined && isRequired) throw failure;
      requireSameSubject(claims, userinfo);
      const signIn = readSignIn(claims, userinfo ?? {}, this.#settings, this.#noteClaim);
      const asked = strengthAsked(this.#settings, trip);
      checkStrength(signIn, asked, { ...this.#settings, nowMs: this.#clock() });
      return { ...signIn, tokens: tokensOf(checked.answer) };
    });
  }

  async refresh(refreshToken: Secret, session?: RefreshFor): Promise<Refreshed> {
    const { checked, metadata } = await this.#within('refresh', async (context) => ({
      checked: await this.#requests.refresh(context, refreshToken.reveal()),
      metadata: context.metadata,
    }));
    const tokens = tokensOf(checked.answer);
    try {
      const renewed = await withinDeadline('refresh', Math.min(MAX_RENEWAL_MS, this.#timeoutMs), (deadline) =>
        this.#renewedSignIn({ metadata, deadline }, checked, session),
      );
      return { tokens, ...renewed };
    } catch (error) {
      if (error instanceof OtherSubjectError) throw error;
      if (error instanceof UpstreamError && error.fault === 'invalid_answer') throw error.beside(tokens.refreshToken);
      this.#report('claims were not renewed', error);
      return { tokens, isPartial: true };
    }
  }

  async revoke(token: Secret, hint: 'access_token' | 'refresh_token'): Promise<boolean> {
    try {
      return await this.#within('revoke', async (context) => {
        if (context.metadata.revocation_endpoint === undefined) return false;
        await this.#requests.revoke(context, token.reveal(), hint);
        return true;
      });
    } catch (error) {
      this.#report('a token was not revoked', error);
      return false;
    }
  }

  probe(publicUrl: string): Promise<ProbeReport> {
    return probeUpstream(publicUrl, this.#settings, {
      discover: () => withinDeadline('discovery', this.#timeoutMs, (deadline) => this.#requests.discover(deadline)),
      loadKeys: (metadata) =>
        withinDeadline('keys', this.#timeoutMs, (deadline) => this.#requests.keys({ metadata, deadline })),
      signInAddress: (trip) => this.signInAddress(trip),
      visit: (address) =>
        withinDeadline('probe', this.#timeoutMs, (deadline) => this.#requests.visit(address, deadline)),
      tryGrant: (grantType, parameters, client) =>
        this.#within('probe', (context) => this.#requests.as(client).tryGrant(context, grantType, parameters)),
      tryRevocation: (token, client) =>
        this.#within('revoke', (context) => this.#requests.as(client).revoke(context, token, 'refresh_token')),
    });
  }

  /** What a refreshed session says about its person. */
  async #renewedSignIn(
    context: RequestContext,
    checked: CheckedAnswer,
    session: RefreshFor | undefined,
  ): Promise<Omit<Refreshed, 'tokens'>> {
    if (checked.claims !== undefined) {
      await this.#verifyIdToken(context, checked);
      requireSubject(session, claimAt(checked.claims, this.#settings.claims.subject));
    }
    const { claims, userinfo, failure } = await this.#askBeside(context, checked, session?.neededClaims);
    const isPartial = failure !== undefined;
    if (checked.claims === undefined && userinfo === undefined) return { isPartial };
    if (checked.claims !== undefined) requireSameSubject(claims, userinfo);
    const signIn = readSignIn(claims, userinfo ?? {}, this.#settings, this.#noteClaim);
    requireSubject(session, signIn.subject);
    return { signIn, isPartial };
  }

  #askBeside(context: RequestContext, checked: CheckedAnswer, needed: NeededClaims | undefined): Promise<Beside> {
    const [settings, requests, keys, timeoutMs] = [this.#settings, this.#requests, this.#keys, this.#timeoutMs];
    return askBeside({ settings, requests, keys, timeoutMs, report: this.#report }, context, checked, needed);
  }

  #verifyIdToken({ metadata }: RequestContext, { answer }: CheckedAnswer): Promise<void> {
    return this.#keys.verifyAnswer('ID token', answer.id_token ?? '', signingAlgorithms(metadata));
  }

  readonly #noteClaim = (claim: string, detail: string): void => {
    this.#logger?.event('upstream.claim', { upstream: this.id, claim, detail });
  };

  #within<T>(step: UpstreamStep, work: (context: RequestContext) => Promise<T>): Promise<T> {
    return withinDeadline(step, this.#timeoutMs, async (deadline) =>
      work({ metadata: await this.#metadata.current(), deadline }),
    );
  }

  readonly #report = (consequence: string, error: unknown): void => {
    if (!(error instanceof UpstreamError)) throw error;
    const detail = `${error.detail}; ${consequence}`;
    if (error.fault === 'client_rejected') this.#logger?.event('upstream.rejected', { upstream: this.id, detail });
    else this.#logger?.event('upstream.unavailable', { upstream: this.id, fault: error.fault, detail });
  };
}
