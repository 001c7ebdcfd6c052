import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactHeader, decryptCompact, encryptCompact } from './compact-jwe.ts';
import { SealBrokenError } from './sealing.ts';
import { hkdf } from './sealing-keys.ts';
import type { Secret } from './secret.ts';
import { x25519PrivateKey } from './x25519-private-key.ts';

const SEED_BYTES = 32;
const CURVE = { kty: 'OKP', crv: 'X25519' } as const;

/**
 * The public half of the key pair that a device code stands for. It is all that is kept at the start: what is sealed
 * to it opens only for who brings the device code again.
 */
export function deviceSealPublicKey(deviceCode: Secret): string {
  return publicHalf(createPublicKey(privateKey(deviceCode)));
}

/**
 * Encrypts JSON to a device code's public key, as `ECDH-ES` with a key pair of its own (RFC 7518 §4.6). It says nothing
 * about who wrote it: seal it again under a sealing key.
 */
export function sealToDevice(content: unknown, publicKey: string): string {
  const ephemeral = generateKeyPairSync('x25519');
  const epk = { ...CURVE, x: publicHalf(ephemeral.publicKey) };
  const key = agreedKey(ephemeral.privateKey, publicKey);
  return encryptCompact(JSON.stringify(content), { alg: 'ECDH-ES', epk }, key);
}

/** @throws {SealBrokenError} */
export function openAsDevice(sealed: string, deviceCode: Secret): unknown {
  const { alg, epk, ...others } = compactHeader(sealed) ?? {};
  // `apu` and `apv` would enter into the key, `zip` and `crit` would change what the rest means.
  if (alg !== 'ECDH-ES' || Object.keys(others).length > 0) throw new SealBrokenError('not sealed to a device code');
  try {
    const { x } = epk as { x: string };
    return JSON.parse(decryptCompact(sealed, agreedKey(privateKey(deviceCode), x)));
  } catch (cause) {
    throw new SealBrokenError('not sealed to this device code', { cause });
  }
}

/** The Concat KDF over the shared secret, for one 256-bit key (RFC 7518 §4.6.2): a single round of SHA-256. */
function agreedKey(own: KeyObject, others: string): Buffer {
  const publicKey = createPublicKey({ key: { ...CURVE, x: others }, format: 'jwk' });
  return createHash('sha256')
    .update(uint32(1))
    .update(diffieHellman({ privateKey: own, publicKey }))
    .update(uint32('A256GCM'.length))
    .update('A256GCM')
    .update(uint32(0))
    .update(uint32(0))
    .update(uint32(256))
    .digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function privateKey(deviceCode: Secret): KeyObject {
  return x25519PrivateKey(hkdf(Buffer.from(deviceCode.reveal()), '', 'device seal', SEED_BYTES));
}

function publicHalf(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('an X25519 public key has an x');
  return x;
}
