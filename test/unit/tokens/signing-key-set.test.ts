import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  formatSigningKeySet,
  makeSigningKey,
  parseSigningKeySet,
  type SigningKey,
  SigningKeySetError,
} from '../../../src/tokens/signing-key-set.ts';
import { NOW_MS, NOW_SECONDS } from './token-samples.ts';

let rsa: SigningKey;
let ec: SigningKey;
beforeAll(async () => {
  [rsa, ec] = await Promise.all([makeSigningKey('RS256', NOW_MS), makeSigningKey('ES256', NOW_MS)]);
});

describe('the set of signing keys', () => {
  it('is read as it was written', () => {
    expect(parseSigningKeySet(formatSigningKeySet([rsa, ec]))).toEqual([rsa, ec]);
  });

  it('gets keys with kid, alg, use and the second they were made in', () => {
    expect(rsa).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', iat: NOW_SECONDS });
    expect(ec).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', iat: NOW_SECONDS });
    expect(rsa.kid).toMatch(/^[0-9a-f]{32}$/);
    expect(rsa.kid).not.toBe(ec.kid);
  });

  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' });

  it.each<[string, () => unknown[]]>([
    ['key 1 is not a JWK', () => ['x']],
    ['key 1 has no "kid"', () => [{ ...ec, kid: undefined }]],
    [`key 2 has the "kid" of another one`, () => [ec, ec]],
    ['key 1 has another "alg" than RS256 or ES256', () => [{ ...ec, alg: 'none' }]],
    ['key 1 has another "use" than "sig"', () => [{ ...ec, use: undefined }]],
    ['key 1 has no private part', () => [{ ...ec, d: undefined }]],
    ['key 1 has an "iat" that is not a number', () => [{ ...ec, iat: 'yesterday' }]],
    ['key 1 is not a readable private key', () => [{ ...ec, x: 'AAAA' }]],
    ['key 1 is for RS256', () => [{ ...ec, alg: 'RS256' }]],
    ['key 1 is for RS256', () => [{ ...small, kid: 'k', alg: 'RS256', use: 'sig' }]],
    ['key 1 is for ES256', () => [{ ...p384, kid: 'k', alg: 'ES256', use: 'sig' }]],
    ['key 1 is for ES256', () => [{ ...rsa, alg: 'ES256' }]],
    ['has no "keys"', () => []],
  ])('is refused with the reason: %s', (reason, keys) => {
    const parse = (): unknown => parseSigningKeySet(JSON.stringify({ keys: keys() }));
    expect(parse).toThrow(SigningKeySetError);
    expect(parse).toThrow(reason);
  });

  it.each(['', 'secret-text', '[]', 'null', '{"keys":{}}'])('is refused without quoting it: %j', (text) => {
    let message = '';
    try {
      parseSigningKeySet(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^(is not JSON|has no "keys")/);
    expect(message).not.toContain('secret-text');
  });
});
