import { createHash } from 'node:crypto';
import type { PresentedProof } from '../grants/redeem/poll.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Counters } from '../limits/counters.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { equalTexts, type Sealing } from '../sealing/sealing.ts';
import type { DeviceRequest } from './http/endpoint.ts';
import { hasUsableKey } from './proof-key.ts';
import { type SignedProof, verifyProof } from './proof-signature.ts';

/** DPoP (RFC 9449) at one endpoint. */
export interface DpopProofs {
  /**
   * What the request's proof shows.
   *
   * @param accessToken where the proof comes with one (§7): it must be made for it
   * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`
   */
  proofOf(request: DeviceRequest, accessToken?: string): DpopProof | Promise<DpopProof>;
}

export interface DpopProof extends PresentedProof {
  /** The thumbprint of the key; '' without a proof. */
  jkt: string;
  /**
   * Notes that the proof was used, right before it has its effect: a note that anybody could have us make, for keys and
   * codes that they make up or for polls that change nothing, would fill the storage.
   *
   * @param owner the grant or session that it is used for, which may have so many notes and no more; `undefined` where
   *   something else is counted
   * @throws {OAuthError} `invalid_dpop_proof` when it was used before
   */
  spend(owner: string | undefined): Promise<void>;
}

const NO_PROOF: DpopProof = { jkt: '', follow: async () => 'newest', spend: async () => {} };

export interface DpopDeps {
  /** The endpoint's own address, from the configuration and never from `Host` (§4.3 `htu`). */
  address: string;
  sealing: Sealing;
  ledger: Pick<Ledger, 'now' | 'marks' | 'raise'>;
  counters: Pick<Counters, 'takePlaces'>;
  /** Keeps a name until a moment; `false` where it is kept already. */
  useOnce: (name: string, untilMs: number) => Promise<boolean>;
}

const FRESH_MS = 60 * 1000;
const NONCE_MS = 5 * 60 * 1000;
/** Of one grant or session within five minutes; more than any device has use for. */
const MAX_NOTES = 300;
const NOTES_SECONDS = 5 * 60;

/**
 * A fresh proof is taken as it is. Where a device's clock is off, it is given a nonce instead (§8): with one of ours in
 * the proof its own clock does not matter. Nonces are MACs over the time, so no replica has to remember any.
 */
export function createDpopProofs(deps: DpopDeps): DpopProofs {
  const htu = normalised(deps.address);
  const nonceOf = (period: number) => deps.sealing.tag('dpop nonce', String(period));
  /** Another replica may be a step ahead or behind while sealing keys rotate. */
  const noncesOf = (period: number) => deps.sealing.tags('dpop nonce', String(period));

  return {
    proofOf(request, accessToken) {
      const proof = request.headers['dpop'];
      return proof === undefined ? NO_PROOF : readProof(request, proof, accessToken);
    },
  };

  async function readProof(
    request: DeviceRequest,
    proof: string | string[],
    accessToken: string | undefined,
  ): Promise<DpopProof> {
    const { payload, jkt } = verified(typeof proof === 'string' ? proof : '');
    if (payload['htm'] !== request.method) throw broken('htm is not the method of this request');
    if (typeof payload['htu'] !== 'string' || normalised(payload['htu']) !== htu) {
      throw broken('htu is not the address of this endpoint');
    }
    const { jti, iat } = payload;
    if (typeof jti !== 'string' || jti === '' || typeof iat !== 'number') throw broken('jti or iat is missing');
    if (accessToken !== undefined && payload['ath'] !== sha256(accessToken)) {
      throw broken('ath is not the hash of the access token');
    }

    const nowMs = await deps.ledger.now();
    const period = Math.floor(nowMs / NONCE_MS);
    const { nonce } = payload;
    const isFresh = nonce === undefined ? Math.abs(nowMs - iat * 1000) <= FRESH_MS : isOurs(nonce, period);
    if (!isFresh) {
      throw new OAuthError('use_dpop_nonce', 'use the nonce of the DPoP-Nonce header', {
        headers: { 'DPoP-Nonce': nonceOf(period) },
      });
    }
    const name = sha256(JSON.stringify([jkt, jti]));
    const serial = serialOf(iat, name);
    // As long as the proof could be accepted again.
    const untilMs = nonce === undefined ? iat * 1000 + FRESH_MS + 1 : nowMs + 2 * NONCE_MS;
    return {
      jkt,
      async follow(mark) {
        const [newest = 0] = await deps.ledger.marks([mark]);
        if (newest === serial) throw broken('the proof was used before');
        await deps.ledger.raise(mark, serial, untilMs);
        return secondOf(serial) < secondOf(newest) ? 'older' : 'newest';
      },
      async spend(owner) {
        if (owner !== undefined) await requireRoom(owner);
        const isFirst = await deps.useOnce(`dpop:${name}`, untilMs);
        if (!isFirst) throw broken('the proof was used before');
      },
    };
  }

  async function requireRoom(owner: string): Promise<void> {
    const places = [{ key: `{proofs:${owner}}`, most: MAX_NOTES }];
    const full = await deps.counters.takePlaces({ places, windowSeconds: NOTES_SECONDS });
    if (full === undefined) return;
    throw new OAuthError('temporarily_unavailable', 'too many requests with this token; try again later', {
      status: 429,
      headers: { 'Retry-After': String(full.secondsLeft) },
    });
  }

  function isOurs(nonce: unknown, period: number): boolean {
    if (typeof nonce !== 'string') return false;
    return [period, period - 1].flatMap(noncesOf).some((each) => equalTexts(nonce, each));
  }
}

/** Its own clock is judged above, with the nonce in view; `exp` and `nbf` mean nothing in a proof. */
function verified(proof: string): SignedProof {
  if (!hasUsableKey(proof)) {
    throw broken('the proof must carry a public key; one for RSA has 2048 to 4096 bits and the exponent 65537');
  }
  const signed = verifyProof(proof);
  if (signed === undefined) throw broken('the proof does not verify');
  return signed;
}

/** Of proofs of one second one cannot be told to be the newer. */
const PER_SECOND = 2 ** 20;
const MAX_SECONDS = 2 ** 32 - 1;

/** A number for a proof that grows with its device's clock, and that no other proof is likely to have. */
function serialOf(iat: number, name: string): number {
  const seconds = Math.min(MAX_SECONDS, Math.max(0, Math.floor(iat)));
  return seconds * PER_SECOND + (Buffer.from(name, 'base64url').readUInt32BE() % PER_SECOND);
}

function secondOf(serial: number): number {
  return Math.floor(serial / PER_SECOND);
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

function broken(description: string): OAuthError {
  return new OAuthError('invalid_dpop_proof', description);
}
