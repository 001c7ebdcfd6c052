import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWTVerifyResult, jwtVerify } from 'jose';
import { OAuthError } from '../oauth/oauth-error.ts';
import { equalTexts, type Sealing } from '../sealing/sealing.ts';
import type { DeviceRequest } from './endpoint.ts';
import { hasUsableKey } from './proof-key.ts';

/** Signature algorithms of DPoP proofs; all asymmetric (RFC 9449 §4.3). */
export const DPOP_ALGS = ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'] as const;

/** DPoP (RFC 9449) at one endpoint. */
export interface DpopProofs {
  /**
   * What the request's proof shows.
   *
   * @param accessToken where the proof comes with one (§7): it must be made for it
   * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`
   */
  proofOf(request: DeviceRequest, accessToken?: string): Promise<DpopProof>;
}

export interface DpopProof {
  /** The thumbprint of the key; '' without a proof. */
  jkt: string;
  /**
   * Notes that the proof was used, once it is known to belong to a code, a token or an admitted start: a note that
   * anybody could have us make, for keys and codes that they make up, would fill the storage.
   *
   * @throws {OAuthError} `invalid_dpop_proof` when it was used before
   */
  spend(): Promise<void>;
}

const NO_PROOF: DpopProof = { jkt: '', spend: () => Promise.resolve() };

export interface DpopGround {
  /** The endpoint's own address, from the configuration and never from `Host` (§4.3 `htu`). */
  address: string;
  sealing: Sealing;
  now: () => Promise<number>;
  /** Keeps a name until a moment; `false` where it is kept already. */
  useOnce: (name: string, untilMs: number) => Promise<boolean>;
}

const FRESH_MS = 60 * 1000;
const NONCE_MS = 5 * 60 * 1000;

/**
 * A fresh proof is taken as it is. Where a device's clock is off, it is given a nonce instead (§8): with one of ours in
 * the proof its own clock does not matter. Nonces are MACs over the time, so no replica has to remember any.
 */
export function createDpopProofs(ground: DpopGround): DpopProofs {
  const htu = normalised(ground.address);
  const nonceOf = (period: number) => ground.sealing.tag('dpop nonce', String(period));
  /** Another replica may be a step ahead or behind while sealing keys rotate. */
  const noncesOf = (period: number) => ground.sealing.tags('dpop nonce', String(period));

  return {
    async proofOf(request, accessToken) {
      const proof = request.headers['dpop'];
      if (proof === undefined) return NO_PROOF;
      const { payload, protectedHeader } = await verified(typeof proof === 'string' ? proof : '');
      const { jwk = {} } = protectedHeader;
      if (payload['htm'] !== request.method) throw broken('htm is not the method of this request');
      if (typeof payload['htu'] !== 'string' || normalised(payload['htu']) !== htu) {
        throw broken('htu is not the address of this endpoint');
      }
      const { jti, iat } = payload;
      if (typeof jti !== 'string' || jti === '' || typeof iat !== 'number') throw broken('jti or iat is missing');
      if (accessToken !== undefined && payload['ath'] !== sha256(accessToken)) {
        throw broken('ath is not the hash of the access token');
      }

      const nowMs = await ground.now();
      const period = Math.floor(nowMs / NONCE_MS);
      const { nonce } = payload;
      if (nonce === undefined ? Math.abs(nowMs - iat * 1000) > FRESH_MS : !isOurs(nonce, period)) {
        throw new OAuthError('use_dpop_nonce', 'use the nonce of the DPoP-Nonce header', {
          headers: { 'DPoP-Nonce': nonceOf(period) },
        });
      }
      const jkt = await calculateJwkThumbprint(jwk);
      // As long as the proof could be accepted again, and for any endpoint: a jti is never used twice.
      const name = sha256(JSON.stringify([jkt, jti]));
      return {
        jkt,
        async spend() {
          const isFirst = await ground.useOnce(`dpop:${name}`, nowMs + 2 * NONCE_MS);
          if (!isFirst) throw broken('the proof was used before');
        },
      };
    },
  };

  function isOurs(nonce: unknown, period: number): boolean {
    if (typeof nonce !== 'string') return false;
    return [period, period - 1].flatMap(noncesOf).some((each) => equalTexts(nonce, each));
  }
}

async function verified(proof: string): Promise<JWTVerifyResult> {
  if (!hasUsableKey(proof)) {
    throw broken('the proof must carry a public key; one for RSA has 2048 to 4096 bits and the exponent 65537');
  }
  try {
    // Its own clock is judged above, with the nonce in view; `exp` and `nbf` mean nothing in a proof.
    return await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [...DPOP_ALGS], clockTolerance: '100y' });
  } catch (error) {
    if (error instanceof errors.JOSEError) throw broken('the proof does not verify', error);
    throw broken('the proof is not readable', error);
  }
}

/** Scheme and host in lower case, no default port, no query, no fragment (RFC 9449 §4.3). */
function normalised(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function broken(description: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_dpop_proof', description, { cause });
}
