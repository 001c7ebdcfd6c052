import { createHash, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deviceSealPublicKey } from '../../../src/sealing/device-seal.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { chooseImport, fromBareJwk, fromPkcs8, x25519PrivateKey } from '../../../src/sealing/x25519-private-key.ts';

/** RFC 7748 §6.1. */
const ALICE = {
  seed: Buffer.from('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a', 'hex'),
  publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
};
const BOB = {
  seed: Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex'),
  publicKey: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
};
const AGREED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';

const publicOf = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32);

function agreed(way: (seed: Buffer) => KeyObject): string {
  const publicKey = createPublicKey(fromPkcs8(BOB.seed));
  return diffieHellman({ privateKey: way(ALICE.seed), publicKey }).toString('hex');
}

/** The code of what Node throws at a JWK without its public half, or `undefined` where it takes one. */
function refusal(): unknown {
  try {
    fromBareJwk(ALICE.seed);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe('an X25519 key of its 32 bytes', () => {
  it.each([ALICE, BOB])('has the public half of RFC 7748 §6.1, as PKCS8: $publicKey', ({ seed, publicKey }) => {
    expect(publicOf(fromPkcs8(seed)).toString('hex')).toBe(publicKey);
    expect(publicOf(x25519PrivateKey(seed)).toString('hex')).toBe(publicKey);
  });

  it('agrees on the secret of RFC 7748 §6.1', () => {
    expect(agreed(fromPkcs8)).toBe(AGREED);
    expect(agreed(x25519PrivateKey)).toBe(AGREED);
  });

  // Node 20, 22 and 24 up to 24.21 take it, 24.22.1 and 26 refuse it.
  it('has the same public half as a bare JWK, or that is refused as what it is', () => {
    if (refusal() === undefined) {
      expect(publicOf(fromBareJwk(ALICE.seed)).toString('hex')).toBe(ALICE.publicKey);
      expect(publicOf(fromBareJwk(BOB.seed)).toString('hex')).toBe(BOB.publicKey);
      expect(agreed(fromBareJwk)).toBe(AGREED);
    } else {
      expect(refusal()).toBe('ERR_CRYPTO_INVALID_JWK');
    }
  });

  it('is made in the quick way exactly where the runtime takes it', () => {
    expect(x25519PrivateKey).toBe(refusal() === undefined ? fromBareJwk : fromPkcs8);
  });

  it.each<[string, (seed: Buffer) => KeyObject]>([
    [
      'is refused',
      () => {
        throw new TypeError('no');
      },
    ],
    ['gives another key', () => fromPkcs8(BOB.seed)],
    ['gives the public half for the private one', (seed) => createPublicKey(fromPkcs8(seed))],
  ])('is made in the sure way where the quick one %s', (_, quick) => {
    expect(chooseImport(quick, fromPkcs8)).toBe(fromPkcs8);
  });

  it('is made in the quick way where that gives the right answer', () => {
    const quick = (seed: Buffer) => fromPkcs8(seed);
    expect(chooseImport(quick, fromPkcs8)).toBe(quick);
  });
});

// What is stored of a grant must open after an upgrade of Node, on whichever way the key is made.
it('a device code has the same public key on every version of Node', () => {
  const code = new Secret(createHash('sha256').update('a device code').digest('base64url'));
  expect(deviceSealPublicKey(code)).toBe('6DBiZ4Dc7kswl-Dz61Yg1aPJh64MueF0Zlgpu7yQlzY');
});
