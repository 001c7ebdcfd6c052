import type { Secret } from '../sealing/secret.ts';

/**
 * The port to the OpenID providers that people sign in at, and (beside this file) its one adapter over openid-client.
 * Here is what is said to an upstream and what came back, checked. What an answer means for a grant is not here.
 */
export interface Upstream {
  readonly id: string;
  readonly displayName: string;
  readonly issuer: string;
  /** How the browser brings the answer to a sign-in. */
  readonly responseMode: ResponseMode;
  readonly frontChannelLogout: FrontChannelLogout;
  /** How long a device session lives whose upstream gave no refresh token, so that nobody can be asked. */
  readonly uncheckedSessionSeconds: number;
  /** How far its clock may be from ours. */
  readonly clockToleranceSeconds: number;

  /** The address to send the browser to. The first call discovers the upstream's metadata. */
  signInAddress(trip: TripParameters): Promise<URL>;

  /** How a person comes as somebody else than they are signed in as there. Never throws. */
  otherAccount(): Promise<OtherAccount>;

  /**
   * Turns the callback's parameters into a checked sign-in: `state`, `iss`, code exchange with PKCE, ID token with nonce,
   * `auth_time` and `acr` where they were asked for, userinfo where a mapped claim is not in the ID token.
   *
   * @param callback the address that was called, with its query, as the browser brought it
   * @throws {UpstreamError}
   */
  finishSignIn(callback: URL, trip: TripParameters): Promise<SignIn>;

  /**
   * Spends an upstream refresh token.
   *
   * @throws {UpstreamError} with `invalid_grant` when the account no longer stands, `invalid_answer` when the answer is
   *   about another subject than the session's
   */
  refresh(refreshToken: Secret, session?: RefreshFor): Promise<Refreshed>;

  /** Revokes a token where the upstream can (RFC 7009); answers whether it could, and never throws. */
  revoke(token: Secret, hint: 'access_token' | 'refresh_token'): Promise<boolean>;

  /**
   * Checks a back-channel logout token, all but its replay.
   *
   * @throws {UpstreamError} `invalid_answer`; `unavailable` where the upstream's keys cannot be had
   */
  verifyLogoutToken(logoutToken: string): Promise<LogoutToken>;

  /**
   * Checks a token that an operator of the admin API brings.
   *
   * @param audience which it must be for, and no other
   * @throws {UpstreamError} `invalid_answer`; `unavailable` where the upstream's keys cannot be had
   */
  verifyOperatorToken(token: string, audience: string): Promise<OperatorSignIn>;

  /** Asks the upstream what it is and what it lacks, for `gatehouse check --probe`. */
  probe(publicUrl: string): Promise<ProbeReport>;
}

/** Whether a browser may tell of a logout there, and whether the issuer must come with the session. */
export type FrontChannelLogout = boolean | 'sid_only';

export type ResponseMode = 'query' | 'form_post';

/** What one trip to the upstream is bound to; kept by the caller between the two calls. */
export interface TripParameters {
  redirectUri: string;
  state: string;
  nonce: string;
  codeVerifier: string;
  /** Asked for in the place of the upstream's own: relay asks for the grant's, and for nothing else (I5). */
  scopes?: readonly string[] | undefined;
  /** Whether the sign-in is for a session that is to be refreshed. */
  wantsRefreshToken?: boolean | undefined;
  /** Each wins over the upstream's setting. */
  prompt?: string | undefined;
  maxAgeSeconds?: number | undefined;
  acrValues?: readonly string[] | undefined;
  neededClaims?: NeededClaims | undefined;
}

/** What has to be said of a person besides who it is, by the names that a client's configuration has. */
export interface NeededClaims {
  /** Userinfo is asked where the ID token lacks one. */
  wanted: readonly string[];
  /** Of these, the ones without which nothing can be decided: where they cannot be had now, the sign-in fails. */
  required: readonly string[];
  /** Nobody is shown anything: only what is wanted is asked for. */
  isRefresh?: boolean;
}

export interface OtherAccount {
  /** Whether the upstream can be asked to let them choose, or to sign in anew; `true` where it does not say. */
  isAskedFor: boolean;
  /** Where they sign out there, where the upstream names that. */
  signOutAt?: string | undefined;
}

/** The device session that a refresh is for. */
export interface RefreshFor {
  /** As `SignIn.subject` had it. */
  subject: string;
  neededClaims?: NeededClaims | undefined;
}

export interface SignIn {
  subject: string;
  name?: string;
  email?: string;
  /** Whether the upstream says that the address is this person's; `undefined` where it says nothing of that. */
  emailVerified?: boolean;
  /** `undefined` where the upstream sent no such claim, which is not the same as being in no group. */
  groups?: readonly string[] | 'unreadable';
  /** Of the groups, those that go into tokens, where that is not all of them. */
  carriedGroups?: readonly string[];
  authTimeSeconds?: number;
  acr?: string;
  amr?: readonly string[];
  /** The upstream's session, for back-channel logout. */
  sid?: string;
  /** All claims of ID token and userinfo, the ID token's first. */
  claims: Readonly<Record<string, unknown>>;
  tokens: UpstreamTokens;
}

export interface UpstreamTokens {
  accessToken: Secret;
  tokenType: string;
  /** From the moment of the answer. */
  expiresInSeconds?: number;
  scopes?: readonly string[];
  idToken?: Secret;
  refreshToken?: Secret;
  /** What else the token answer had; relay passes it through. */
  members: Readonly<Record<string, unknown>>;
}

export interface Refreshed {
  tokens: UpstreamTokens;
  /** Renewed where the answer had an ID token or userinfo could be asked; `undefined` means: nothing new. */
  signIn?: Omit<SignIn, 'tokens'>;
  /** Something that was asked for besides did not come: of what is missing here nobody knows. */
  isPartial: boolean;
}

export interface LogoutToken {
  jti: string;
  sub?: string;
  sid?: string;
}

export interface OperatorSignIn extends Pick<SignIn, 'subject' | 'sid'> {
  /** As `SignIn.groups`. */
  groups: SignIn['groups'] | undefined;
  /** The upstream's own `sub`. */
  sub?: string;
  signedInAtMs: number;
}

export interface ProbeReport {
  ok: boolean;
  /** One finding a line, in plain words, with what to do next where something is missing; `away` did not answer. */
  findings: { level: 'ok' | 'missing' | 'wrong' | 'away'; text: string }[];
  /** Absent where it could not be asked. */
  offered?: Offered;
}

/** What an upstream lists; `undefined` where it lists nothing of that kind. */
export interface Offered {
  claims: readonly string[] | undefined;
  scopes: readonly string[] | undefined;
}

export type UpstreamFault =
  /** The person or the upstream refused; the only fault that denies a grant. */
  | 'access_denied'
  /** A refresh token that is no longer good: the account or its session has ended. */
  | 'invalid_grant'
  /** A refresh that was refused with 400 and without a reason: most likely the token is gone. */
  | 'refresh_refused'
  /** Gatehouse's own credentials or registration are refused there; for the administrator. */
  | 'client_rejected'
  /** It refuses this account, or what is asked for it, in a way that is no refusal of the person's own; for the administrator. */
  | 'sign_in_refused'
  /** Interaction was needed or refused in another way (`login_required`, `interaction_required`, …). */
  | 'not_signed_in'
  /** Not reachable, hung, 5xx, or `temporarily_unavailable`. */
  | 'unavailable'
  /** An answer that does not check: state, iss, signature, nonce, missing subject, not JSON. */
  | 'invalid_answer'
  /** A time in its answer does not fit to our clock, by more than is tolerated. */
  | 'clock_differs'
  /** Signed in, but less strongly or less recently than asked: `auth_time` or `acr` missing or too weak. */
  | 'too_weak';

/** `detail` is for our log only; no word of it reaches a page or a device. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly fault: UpstreamFault;
  readonly detail: string;
  /** The next refresh token, where one came with an answer that is no good otherwise: the old one may be spent. */
  refreshToken: Secret | undefined;

  constructor(fault: UpstreamFault, detail: string, options?: ErrorOptions) {
    super(`upstream: ${fault}: ${detail}`, options);
    this.fault = fault;
    this.detail = detail;
  }
  beside(refreshToken: Secret | undefined): this {
    this.refreshToken ??= refreshToken;
    return this;
  }
}

/** An answer about somebody else than the one it was asked for: nothing of it is believed. */
export class OtherSubjectError extends UpstreamError {
  constructor(detail: string) {
    super('invalid_answer', detail);
  }
}
