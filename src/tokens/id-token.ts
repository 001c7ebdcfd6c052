import { createHash } from 'node:crypto';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { subjectOf } from '../clients/subject.ts';
import { tokenClaims } from '../grants/decide/client-claims.ts';
import type { Approval } from '../ledger/approval.ts';
import type { Secret } from '../sealing/secret.ts';
import { copiedClaims } from './copied-claims.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface IdTokenInput {
  client: RegisteredClient;
  issuer: string;
  approval: Approval;
  /** The granted ones; they bring claims where the client's `claims` is not written. */
  scopes: readonly string[];
  /** The id of the device session. */
  sessionId: string;
  nowMs: number;
  /** What the device gets beside it, for `at_hash`. */
  accessToken: Secret;
  /** As long as the access token's; left out, the client's configuration says. */
  expiresInSeconds?: number | undefined;
}

/**
 * OpenID Connect Core §2 and §3.1.3.6, signed as the access token. There is no `nonce`: a device authorization request
 * has none. How and when the person signed in stays as it was at the approval, however often it is refreshed.
 */
export function mintIdToken(signingKeys: SigningKeys, input: IdTokenInput): Promise<Secret> {
  const { client, issuer, approval, scopes, sessionId, nowMs, accessToken } = input;
  const { expiresInSeconds = client.lifetimes.accessTokenSeconds } = input;
  const issuedAtSeconds = Math.floor(nowMs / 1000);
  return signingKeys.sign(client.signingAlg, 'JWT', {
    ...copiedClaims(tokenClaims(client, scopes).idToken, approval),
    iss: issuer,
    sub: subjectOf(client, approval),
    aud: client.id,
    exp: issuedAtSeconds + expiresInSeconds,
    iat: issuedAtSeconds,
    ...signInClaims(approval),
    at_hash: accessTokenHash(accessToken),
    sid: sessionId,
  });
}

/** RFC 9068 §2.2.1 and OpenID Connect Core §2; only what the upstream said. */
export function signInClaims({ authTimeSeconds, acr, amr }: Approval): Record<string, unknown> {
  return {
    ...(authTimeSeconds === undefined ? {} : { auth_time: Math.floor(authTimeSeconds) }),
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr: [...amr] }),
  };
}

/** The left half of the hash that goes with the signature: SHA-256 for RS256 and ES256 alike. */
function accessTokenHash(accessToken: Secret): string {
  return createHash('sha256').update(accessToken.reveal()).digest().subarray(0, 16).toString('base64url');
}
