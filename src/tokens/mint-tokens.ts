import type { RegisteredClient } from '../clients/registered-client.ts';
import { subjectOf } from '../clients/subject.ts';
import { tokenClaims } from '../grants/decide/client-claims.ts';
import type { Approval } from '../ledger/approval.ts';
import { formatScope } from '../oauth/scope.ts';
import type { Secret } from '../sealing/secret.ts';
import { copiedClaims } from './copied-claims.ts';
import { mintIdToken, signInClaims } from './id-token.ts';
import type { SigningKeys } from './signing-keys.ts';

/**
 * Tokens: what an approval is turned into when a device redeems or refreshes, minted by us or relayed from the
 * upstream, and the keys that sign. Whether somebody may have tokens, and how often, is judged before; nothing here reads a request
 * or a store.
 */

/** What a device gets, but for the refresh token, which belongs to its device session. */
export interface IssuedTokens {
  accessToken: Secret;
  /** As it is called on the wire: `Bearer`, `DPoP`, or what an upstream called its own. */
  tokenType: string;
  /** `undefined` where the upstream did not say. */
  expiresInSeconds?: number | undefined;
  scopes: readonly string[];
  idToken?: Secret | undefined;
  /** The upstream's own members of a relayed answer. */
  members?: Readonly<Record<string, unknown>> | undefined;
}

export interface MintInput {
  client: RegisteredClient;
  /** `public_url`, or the issuer of the path profile where the grant was started. */
  issuer: string;
  publicUrl: string;
  approval: Approval;
  /** What is granted now, which may be less than what was approved. */
  scopes: readonly string[];
  resources: readonly string[];
  /** The id of the device session. */
  sessionId: string;
  /** Derived, not random: a redemption that is repeated makes the same token. */
  jti: string;
  /** By the storage's clock. Lifetimes start when the device gets the tokens. */
  nowMs: number;
  /** Thumbprint of the DPoP key that the token is bound to (RFC 9449 §6). */
  jkt?: string | undefined;
  /** Keycloak's path profile, whose adapters look for claims of Keycloak's. */
  isKeycloak?: boolean;
  /** Whether an ID token goes with it where `openid` is granted. */
  hasIdToken?: boolean;
  /** The end of the device session; none of its tokens outlives it. */
  sessionEndsAtMs?: number | undefined;
}

/**
 * An access token by RFC 9068, and an ID token when `openid` is granted.
 *
 * No claim says that a device asked: everything that this issuer signs is for devices, so `iss` says it already.
 * No `at_hash` in the access token: some clients take it for an ID token then.
 */
export async function mintTokens(signingKeys: SigningKeys, input: MintInput): Promise<IssuedTokens> {
  const { client, issuer, approval, scopes, sessionId, jti, nowMs, jkt, isKeycloak = false, hasIdToken = true } = input;
  const issuedAtSeconds = Math.floor(nowMs / 1000);
  const expiresInSeconds = lifetimeOf(input);
  const tokenType = jkt === undefined ? 'Bearer' : 'DPoP';
  const accessToken = await signingKeys.sign(client.signingAlg, client.accessTokenType, {
    ...copiedClaims(tokenClaims(client, scopes).accessToken, approval),
    iss: issuer,
    sub: subjectOf(client, approval),
    aud: audienceOf(input),
    exp: issuedAtSeconds + expiresInSeconds,
    iat: issuedAtSeconds,
    jti,
    client_id: client.id,
    ...(scopes.length === 0 ? {} : { scope: formatScope(scopes) }),
    ...signInClaims(approval),
    sid: sessionId,
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    ...(isKeycloak ? { typ: tokenType, azp: client.id } : {}),
  });
  return {
    accessToken,
    tokenType,
    expiresInSeconds,
    scopes,
    ...(hasIdToken && scopes.includes('openid')
      ? {
          idToken: await mintIdToken(signingKeys, {
            ...{ client, issuer, approval, scopes, sessionId, nowMs, accessToken },
            expiresInSeconds,
          }),
        }
      : {}),
  };
}

/** Never 0, which some clients read as "does not expire". */
function lifetimeOf({ client, nowMs, sessionEndsAtMs = Number.POSITIVE_INFINITY }: MintInput): number {
  const leftSeconds = Math.floor((sessionEndsAtMs - nowMs) / 1000);
  return Math.max(1, Math.min(client.lifetimes.accessTokenSeconds, leftSeconds));
}

/** RFC 9068 §3: the resources that were asked for, else the client's default, else ourselves. */
function audienceOf({ client, resources, publicUrl }: MintInput): string | string[] {
  if (resources.length > 1) return [...resources];
  return resources[0] ?? client.resources[0] ?? publicUrl;
}
