import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readPrivateJwk } from '../../../src/tokens/private-jwk.ts';

type Jwk = Record<string, unknown>;

const rsa = () => written(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const ec = () => written(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ed = () => written(generateKeyPairSync('ed25519'));
const written = ({ privateKey }: { privateKey: KeyObject }): Jwk => ({ ...privateKey.export({ format: 'jwk' }) });

const base64 = (text: unknown) => String(text).replaceAll('-', '+').replaceAll('_', '/');
const shortened = (text: unknown) => Buffer.from(String(text), 'base64url').subarray(1).toString('base64url');

describe('a private JWK', () => {
  it.each([
    ['RSA', rsa()],
    ['P-256', ec()],
    ['P-521', written(generateKeyPairSync('ec', { namedCurve: 'P-521' }))],
    ['Ed25519', ed()],
    ['RSA with members that are nobody’s business', { ...rsa(), use: 'enc', key_ops: ['verify', 'x'], ext: false }],
    ['EC in plain base64', ((key) => ({ ...key, x: base64(key['x']), d: base64(key['d']) }))(ec())],
  ])('of %s is read as the key that it is', (_, jwk) => {
    const key = readPrivateJwk(jwk);
    if (key === undefined) throw new Error('it was not read');
    const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
    const signature = sign(digest, Buffer.from('text'), key);
    expect(verify(digest, Buffer.from('text'), createPublicKey(key), signature)).toBe(true);
  });

  const [{ n }, { x, y }, { x: edX }] = [rsa(), ec(), ed()];
  const [one, other] = [ec(), ec()];

  // Node 20, 22 and 24 up to 24.21 take most of these; 24.22.1 and 26 take those with a wrong exponent.
  it.each<[string, Jwk]>([
    ['EC with somebody else’s public half', { ...ec(), x, y }],
    ['EC with somebody else’s private half', { ...one, d: other['d'] }],
    ['EC with a private half that is too short', { ...one, d: shortened(one['d']) }],
    ['EC with a private half of zero', { ...ec(), d: Buffer.alloc(32).toString('base64url') }],
    ['EC without its public half', { kty: 'EC', crv: 'P-256', d: one['d'] }],
    ['EC with an empty public half', { ...ec(), x: '', y: '' }],
    ['RSA with somebody else’s modulus', { ...rsa(), n }],
    ['RSA with another exponent', { ...rsa(), e: 'Aw' }],
    ['RSA with empty primes', { ...rsa(), p: '', q: '', dp: '', dq: '', qi: '' }],
    ['RSA without its primes', ((key) => ({ kty: 'RSA', n: key['n'], e: key['e'], d: key['d'] }))(rsa())],
    ['Ed25519 with somebody else’s public half', { ...ed(), x: edX }],
    ['Ed25519 with an empty public half', { ...ed(), x: '' }],
    ['Ed25519 without its public half', { kty: 'OKP', crv: 'Ed25519', d: ed()['d'] }],
    ['X25519, which cannot sign', written(generateKeyPairSync('x25519'))],
    ['a public key', ((key) => ({ ...key, d: undefined }))(ec())],
    ['nothing', {}],
  ])('is refused on every version of Node: %s', (_, jwk) => {
    expect(readPrivateJwk(jwk)).toBeUndefined();
  });
});
