/**
 * What a person approved, as facts: kept sealed in the decision and turned into tokens at redemption.
 * Plain JSON; times in milliseconds since the epoch by the storage's clock unless the name says otherwise.
 */
export interface Approval {
  upstream: string;
  subject: string;
  /** The upstream's own `sub`, where its `claims:` setting takes the subject from elsewhere: logout tokens name this one. */
  upstreamSub?: string | undefined;
  /** What people recognise the account by: e-mail address or name. For display only, never an identity. */
  account: string;
  /** As shown on the confirm page. */
  scopes: readonly string[];
  resources: readonly string[];
  /** The upstream's claims that the client's configuration names. */
  claims: Readonly<Record<string, unknown>>;
  /** `undefined` where the upstream sent no such claim. */
  groups?: ClaimReading | undefined;
  /** Of the groups, those that go into tokens, where that is not all of them. */
  carriedGroups?: readonly string[] | undefined;
  /** What the client's conditions on claims looked at. */
  judged?: JudgedClaims | undefined;
  authTimeSeconds?: number | undefined;
  acr?: string | undefined;
  amr?: readonly string[] | undefined;
  /** The upstream's session. */
  sid?: string | undefined;
  signedInAtMs: number;
  approvedAtMs: number;
  /** No tokens before this moment. */
  heldUntilMs?: number | undefined;
  /** Four digits that the device must send with a poll (`confirmation_code`). */
  confirmationCode?: string | undefined;
  /** What the device may send in their place: it comes from the browser, over a listener on the device's machine. */
  confirmationProof?: string | undefined;
  upstreamTokens?: ApprovedUpstreamTokens | undefined;
}

/** The upstream's tokens, for relay and for asking again at every refresh. */
export interface ApprovedUpstreamTokens {
  accessToken?: string | undefined;
  tokenType: string;
  expiresAtMs?: number | undefined;
  scopes?: readonly string[] | undefined;
  idToken?: string | undefined;
  refreshToken?: string | undefined;
  members: Readonly<Record<string, unknown>>;
}

/** Readings of the claims that conditions look at, by the name that the condition has; what did not come is not there. */
export type JudgedClaims = Readonly<Record<string, ClaimReading>>;

/**
 * What a claim says, as texts that can be compared. `unreadable` is a claim that came and cannot be told: nobody may
 * approve on it, since what it says might stand against them.
 */
export type ClaimReading = readonly string[] | 'unreadable';
