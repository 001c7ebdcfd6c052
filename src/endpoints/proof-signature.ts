import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { JWK } from 'jose';
import { parseJsonObject } from '../oauth/json-object.ts';

/** Signature algorithms of DPoP proofs; all asymmetric (RFC 9449 §4.3). */
export const DPOP_ALGS = ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'] as const;
type Alg = (typeof DPOP_ALGS)[number];

export interface SignedProof {
  payload: Readonly<Record<string, unknown>>;
  /** RFC 7638. */
  jkt: string;
}

type Check = (signed: Buffer, key: KeyObject, signature: Buffer) => boolean;

const ECDSA: Check = (signed, key, signature) =>
  verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
const EDDSA: Check = (signed, key, signature) => verify(null, signed, key, signature);
const RSA: Check = (signed, key, signature) => verify('sha256', signed, key, signature);
/** RFC 7518 §3.5: the salt is as long as the hash. */
const RSA_PSS: Check = (signed, key, signature) =>
  verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);

/** Algorithm → the one kind of key that it may be used with, and how a signature is checked. */
const CHECKS: Readonly<Record<Alg, readonly [kty: string, crv: string | undefined, check: Check]>> = {
  ES256: ['EC', 'P-256', ECDSA],
  RS256: ['RSA', undefined, RSA],
  PS256: ['RSA', undefined, RSA_PSS],
  Ed25519: ['OKP', 'Ed25519', EDDSA],
  EdDSA: ['OKP', 'Ed25519', EDDSA],
};

/** Kind of key → the members that are the key, in the order of RFC 7638 §3.2. */
const MEMBERS: Readonly<Record<string, readonly (keyof JWK)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  RSA: ['e', 'kty', 'n'],
  OKP: ['crv', 'kty', 'x'],
};

/**
 * Checks the signature of a proof with the key that it carries, straight over node:crypto: anybody may send proofs, and
 * going through Web Crypto costs twice as much for each.
 *
 * @returns `undefined` where the proof does not verify
 */
export function verifyProof(proof: string): SignedProof | undefined {
  const [head = '', body = '', signature = '', ...more] = proof.split('.');
  const header = objectIn(head);
  const payload = objectIn(body);
  const signatureBytes = bytesOf(signature);
  if (header === undefined || payload === undefined || signatureBytes === undefined || more.length > 0) {
    return undefined;
  }
  const { alg, typ, jwk } = header;
  // Whatever is critical is nothing that we know (RFC 7515 §4.1.11).
  if (!isAlg(alg) || !isProofType(typ) || 'crit' in header) return undefined;
  const [kty, crv, check] = CHECKS[alg];
  const key = keyMembers(jwk);
  if (key === undefined || key.kty !== kty || key.crv !== crv) return undefined;
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' });
    if (!check(Buffer.from(`${head}.${body}`), publicKey, signatureBytes)) return undefined;
  } catch {
    // A key that is none: a point beside its curve, a member that is no number.
    return undefined;
  }
  return { payload, jkt: createHash('sha256').update(JSON.stringify(key)).digest('base64url') };
}

function isAlg(alg: unknown): alg is Alg {
  return DPOP_ALGS.some((known) => known === alg);
}

/** RFC 7515 §4.1.9: in any case, and `application/` may stand before it. */
function isProofType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(application\/)?dpop\+jwt$/i.test(typ);
}

function keyMembers(jwk: unknown): { kty: string; crv?: string } | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const members = jwk as Record<string, unknown>;
  const { kty } = members;
  if (typeof kty !== 'string' || !Object.hasOwn(MEMBERS, kty)) return undefined;
  const key = (MEMBERS[kty] ?? []).map((name) => [name, members[name]] as const);
  if (!key.every(([, value]) => typeof value === 'string' && value !== '')) return undefined;
  return Object.fromEntries(key) as { kty: string; crv?: string };
}

function objectIn(part: string): Record<string, unknown> | undefined {
  const bytes = bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    return parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** One text for one signature: what is no Base64url is not guessed at. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}
