import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { SealBrokenError } from './sealing.ts';
import { hkdf } from './sealing-keys.ts';
import type { Secret } from './secret.ts';

/** DER of an X25519 private key up to its 32 seed bytes (RFC 8410 §7). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SEED_BYTES = 32;

/**
 * The public half of the key pair that a device code stands for. It is all that is kept at the start: what is sealed
 * to it opens only for who brings the device code again.
 */
export function deviceSealPublicKey(deviceCode: Secret): string {
  const { x } = createPublicKey(privateKey(deviceCode)).export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('an X25519 public key has an x');
  return x;
}

/** Encrypts JSON to a device code's public key. It says nothing about who wrote it: seal it again under a sealing key. */
export async function sealToDevice(content: unknown, publicKey: string): Promise<string> {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: publicKey }, format: 'jwk' });
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(key);
}

/** @throws {SealBrokenError} */
export async function openAsDevice(sealed: string, deviceCode: Secret): Promise<unknown> {
  const opened = await compactDecrypt(sealed, privateKey(deviceCode), {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  }).catch((cause: unknown) => {
    throw new SealBrokenError('not sealed to this device code', { cause });
  });
  return JSON.parse(new TextDecoder().decode(opened.plaintext));
}

function privateKey(deviceCode: Secret): KeyObject {
  const seed = hkdf(Buffer.from(deviceCode.reveal()), '', 'device seal', SEED_BYTES);
  return createPrivateKey({ key: Buffer.concat([PKCS8_X25519, seed]), format: 'der', type: 'pkcs8' });
}
