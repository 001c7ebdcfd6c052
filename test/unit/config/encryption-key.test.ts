import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { leastFile, MARK, problemsOf, read, unmarked } from './written.ts';

/** `encryption_key`: what an upstream encrypts its answers for. */

const keysOf = (file: string) =>
  read(leastFile({ upstream: 'encryption_key: { file: k }' }), { files: { k: file } }).upstreams[0]?.encryptionKeys;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const x25519 = generateKeyPairSync('x25519').privateKey;
const jwk = (key: KeyObject, more = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const set = (...keys: object[]) => JSON.stringify({ keys });

describe('an encryption key', () => {
  it.each<[string, string, object[]]>([
    ['RSA as PEM', pem(rsa), [jwk(rsa)]],
    ['EC as PEM', pem(ec), [jwk(ec)]],
    ['X25519 as PEM', pem(x25519), [jwk(x25519)]],
    ['two PEMs', pem(rsa) + pem(ec), [jwk(rsa), jwk(ec)]],
    ['a JWK', JSON.stringify(jwk(ec, { kid: 'a', use: 'enc' })), [jwk(ec, { kid: 'a', use: 'enc' })]],
    ['X25519 as JWK', JSON.stringify(jwk(x25519, { key_ops: ['deriveBits'] })), [jwk(x25519)]],
    [
      'a set',
      set(jwk(rsa, { kid: 'a', alg: 'RSA-OAEP' }), jwk(ec, { kid: 'b', alg: 'ECDH-ES' })),
      [jwk(rsa, { kid: 'a', alg: 'RSA-OAEP' }), jwk(ec, { kid: 'b', alg: 'ECDH-ES' })],
    ],
  ])('is taken: %s', (_, file, expected) => {
    const keys = keysOf(file)?.map((secret) => JSON.parse(secret.reveal()) as JsonWebKey);
    expect(keys).toEqual(expected);
    for (const key of keys ?? []) expect(createPrivateKey({ key, format: 'jwk' }).type).toBe('private');
  });

  it.each<[string, string, RegExp]>([
    ['a public one', selfSigned().cert, /is not a private key, expected a private key \(RSA, EC or X25519\)/],
    ['words', 'hunter2', /is not a private key/],
    ['a set of none', set(), /found no key/],
    ['a set with one that is none', set(jwk(rsa), { kty: 'oct', k: 'AAAA' }), /is not a private key/],
    ['a set that is none', '{"keys":7}', /is not a private key/],
    ['one with somebody else’s half', JSON.stringify({ ...jwk(x25519), x: 'A'.repeat(43) }), /is not a private key/],
    [
      'one that only signs',
      pem(generateKeyPairSync('ed25519').privateKey),
      /found a key \(ed25519\) that cannot decrypt here/,
    ],
    ['an EC key of another curve', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), /\(ec\)/],
    [
      'a short one',
      pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
      /found an RSA key of 1024 bits, expected 2048 or more/,
    ],
    ['one that is for signing', JSON.stringify(jwk(rsa, { use: 'sig' })), /not for encryption \(use\)/],
    [
      'one for RSA1_5',
      JSON.stringify(jwk(rsa, { alg: 'RSA1_5' })),
      /another alg, expected one of RSA-OAEP, RSA-OAEP-256/,
    ],
    ['one for the alg of another kind', JSON.stringify(jwk(rsa, { alg: 'ECDH-ES' })), /another alg/],
    ['too many', set(...[1, 2, 3, 4, 5].map(() => jwk(rsa))), /found 5 keys, expected at most 4/],
  ])('is refused where it stands, without a word of it: %s', (_, file, words) => {
    const { text, line, column } = unmarked(leastFile({ upstream: `encryption_key: ${MARK}{ file: k }` }));
    const problems = problemsOf(text, { files: { k: file } });
    expect(problems).toEqual([
      expect.objectContaining({
        key: 'upstreams.corp.encryption_key',
        line,
        column,
        text: expect.stringMatching(words),
      }),
    ]);
    expect(JSON.stringify(problems)).not.toContain(String(jwk(rsa).d));
  });

  it('is watched like every other file', () => {
    const { filesRead } = read(leastFile({ upstream: 'encryption_key: { file: k }' }), { files: { k: pem(rsa) } });
    expect(filesRead.some((file) => file.endsWith('/k'))).toBe(true);
  });
});
