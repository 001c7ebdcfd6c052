import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { newDeviceCode } from '../../../src/grants/device-code.ts';
import { encryptCompact } from '../../../src/sealing/compact-jwe.ts';
import { deviceSealPublicKey, openAsDevice, sealToDevice } from '../../../src/sealing/device-seal.ts';
import { SealBrokenError } from '../../../src/sealing/sealing.ts';
import { hkdf } from '../../../src/sealing/sealing-keys.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { anyJson } from '../../support/samples/inherited-names.ts';

const code = newDeviceCode(randomBytes);
const publicKey = deviceSealPublicKey(code);
const d = hkdf(Buffer.from(code.reveal()), '', 'device seal', 32).toString('base64url');
const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x: publicKey, d }, format: 'jwk' });

/** RFC 7518 §4.6.2 once more, for one 256-bit key of `A256GCM` and nameless parties. */
function concatKdf(secret: Buffer): Buffer {
  const algorithm = Buffer.from('A256GCM').toString('hex');
  const info = Buffer.from(`00000007${algorithm}000000000000000000000100`, 'hex');
  return createHash('sha256').update(Buffer.from('00000001', 'hex')).update(secret).update(info).digest();
}

describe('what is sealed to a device code', () => {
  it('opens for who brings the code again', () => {
    fc.assert(
      fc.property(anyJson(), (content) => {
        const sealed = sealToDevice(content, publicKey);
        expect(openAsDevice(sealed, new Secret(code.reveal()))).toEqual(content);
      }),
      { numRuns: 30 },
    );
  });

  it('opens for nobody else', () => {
    const sealed = sealToDevice('facts', publicKey);
    expect(() => openAsDevice(sealed, newDeviceCode(randomBytes))).toThrow(SealBrokenError);
    expect(() => openAsDevice(sealed, new Secret(publicKey))).toThrow(SealBrokenError);
    const changed = `${code.reveal().slice(0, -1)}${code.reveal().endsWith('A') ? 'B' : 'A'}`;
    expect(() => openAsDevice(sealed, new Secret(changed))).toThrow(SealBrokenError);
  });

  it('needs both the code and an unchanged text', () => {
    const sealed = sealToDevice('facts', publicKey);
    const parts = sealed.split('.');
    for (const [place, other] of [
      [2, randomBytes(12)],
      [3, Buffer.from('"other"')],
      [4, randomBytes(16)],
    ] as const) {
      expect(() => openAsDevice(parts.with(place, other.toString('base64url')).join('.'), code)).toThrow(
        SealBrokenError,
      );
    }
    expect(() => openAsDevice(sealed.slice(0, -4), code)).toThrow(SealBrokenError);
  });

  describe('is opened as nothing but ECDH-ES with A256GCM, though the key would fit', () => {
    const ephemeral = generateKeyPairSync('x25519');
    const epk = ephemeral.publicKey.export({ format: 'jwk' });
    const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: createPublicKey(privateKey) });
    const fits = concatKdf(secret);

    it('opens where the header is right', () => {
      expect(openAsDevice(encryptCompact('"facts"', { alg: 'ECDH-ES', epk }, fits), code)).toBe('facts');
    });

    it.each([
      ['another algorithm', { alg: 'dir', epk }],
      ['compression', { alg: 'ECDH-ES', epk, zip: 'DEF' }],
      ['an extension that must be understood', { alg: 'ECDH-ES', epk, crit: ['exp'] }],
      ['names of the parties', { alg: 'ECDH-ES', epk, apu: 'QQ' }],
      ['no public key', { alg: 'ECDH-ES' }],
    ])('not with %s', (_, header) => {
      expect(() => openAsDevice(encryptCompact('"facts"', header, fits), code)).toThrow(SealBrokenError);
    });

    // What is agreed with it is zero whatever the code is, so anybody could have made the key.
    it('not with a public key of small order', () => {
      const header = { alg: 'ECDH-ES', epk: { ...epk, x: 'A'.repeat(43) } };
      const sealed = encryptCompact('"facts"', header, concatKdf(Buffer.alloc(32)));
      expect(() => openAsDevice(sealed, code)).toThrow(SealBrokenError);
    });
  });

  it('the public key follows from the code, and does not show it', () => {
    expect(deviceSealPublicKey(new Secret(code.reveal()))).toBe(publicKey);
    expect(publicKey).toMatch(/^[\w-]{43}$/);
    expect(publicKey).not.toBe(code.reveal());
  });
});

describe('is ECDH-ES as others know it (RFC 7518 §4.6)', () => {
  it('jose opens what we seal', async () => {
    const { plaintext, protectedHeader } = await compactDecrypt(sealToDevice({ a: 'ä' }, publicKey), privateKey);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ a: 'ä' });
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM' });
  });

  it('we open what jose seals', async () => {
    const sealed = await new CompactEncrypt(new TextEncoder().encode('{"a":"ä"}'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(await importJWK({ kty: 'OKP', crv: 'X25519', x: publicKey }, 'ECDH-ES'));
    expect(openAsDevice(sealed, code)).toEqual({ a: 'ä' });
  });
});
