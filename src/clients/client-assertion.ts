import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { RegisteredClient } from './registered-client.ts';

/** Signature algorithms of client assertions; symmetric ones would make the secret a key. */
export const ASSERTION_ALGS = ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'] as const;

export interface AssertionDeps {
  clients: ReadonlyMap<string, RegisteredClient>;
  /** The issuer that was called. */
  issuer: string;
  now: () => Promise<number>;
  /** Keeps a name until a moment; `false` where it is kept already. */
  useOnce: (name: string, untilMs: number) => Promise<boolean>;
}

export type VerifyAssertion = (assertion: string, clientId: string | undefined) => Promise<AssertionVerdict>;

export interface AssertionVerdict {
  /** Whose it is; `undefined` where anything about the assertion is wrong. */
  client: RegisteredClient | undefined;
  /** No key of the client has signed it. */
  isForged: boolean;
}

const FORGED: AssertionVerdict = { client: undefined, isForged: true };
const REFUSED: AssertionVerdict = { client: undefined, isForged: false };

const MAX_LIFE_SECONDS = 10 * 60;
const SKEW_SECONDS = 60;
const TYPES = [undefined, 'JWT', 'client-authentication+jwt'];

/**
 * `private_key_jwt` (RFC 7523 §3, as its successor tightens it): issuer and subject are the client, the audience is our
 * issuer and nothing besides (an endpoint's address there could be another server's, which would then replay it), it
 * lives for minutes and counts once.
 *
 */
export function createAssertionVerifier(deps: AssertionDeps): VerifyAssertion {
  return async (assertion, clientId) => {
    const client = deps.clients.get(claimedClient(assertion) ?? '');
    if (client?.jwks === undefined || (clientId !== undefined && clientId !== client.id)) return FORGED;
    const nowMs = await deps.now();
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, createLocalJWKSet(client.jwks), {
        algorithms: [...ASSERTION_ALGS],
        issuer: client.id,
        subject: client.id,
        audience: deps.issuer,
        requiredClaims: ['exp', 'jti'],
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(nowMs),
      });
      if (!TYPES.includes(verified.protectedHeader.typ)) return REFUSED;
      payload = verified.payload;
    } catch (error) {
      // Claims are looked at only once the signature has checked.
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) return REFUSED;
      if (error instanceof errors.JOSEError) return FORGED;
      throw error;
    }
    const { aud, jti, exp = 0 } = payload;
    if (typeof aud !== 'string' || typeof jti !== 'string') return REFUSED;
    if (exp > nowMs / 1000 + MAX_LIFE_SECONDS + SKEW_SECONDS) return REFUSED;
    const name = createHash('sha256')
      .update(JSON.stringify([client.id, jti]))
      .digest('base64url');
    const isFirst = await deps.useOnce(`assertion:${name}`, (exp + SKEW_SECONDS + 1) * 1000);
    return isFirst ? { client, isForged: false } : REFUSED;
  };
}

/** Whose keys to look at; believed only once the signature checks. */
export function claimedClient(assertion: string): string | undefined {
  try {
    const { sub } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
