import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { Entry } from '../../ledger/ledger.ts';
import type { Secret } from '../../sealing/secret.ts';

/** What is about to be handed out, by today's configuration. */
export interface Redemption {
  client: RegisteredClient;
  grant: Grant;
  approval: Approval;
  scopes: readonly string[];
  resources: readonly string[];
  /** Of these, the ones that this access token is for. */
  tokenResources: readonly string[];
  /** The DPoP key that the tokens are bound to. */
  jkt?: string | undefined;
  atMs: number;
}

/** Makes the entries of the device session that a redemption starts; writes nothing by itself. */
export type BeginSession = (redemption: Redemption, deviceCode: Secret, attempt: string) => Promise<BegunSession>;

export interface BegunSession {
  entries: readonly Entry[];
  endsAtMs: number;
  refreshToken?: Secret | undefined;
}

/**
 * Makes the token answer, in memory and by itself: what can fail must fail before anything is written.
 * `expired` is a relayed token that is no longer worth handing out.
 */
export type IssueTokens = (
  redemption: Redemption,
  facts: { jti: string; refreshToken?: Secret | undefined; sessionEndsAtMs?: number | undefined },
) => Promise<({ outcome: 'issued' } & IssuedAnswer) | { outcome: 'expired' }>;

export interface IssuedAnswer {
  answer: TokenAnswer;
  /** What userinfo says besides the access token's own claims. */
  userinfo?: Readonly<Record<string, unknown>> | undefined;
}

/** The members of a successful token answer, as they go over the wire. */
export type TokenAnswer = Readonly<Record<string, unknown>>;
