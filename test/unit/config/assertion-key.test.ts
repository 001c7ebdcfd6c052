import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { ecPrivate, ecPublic } from './keys.ts';
import { leastFile, problemsOf, read } from './written.ts';

/** `private_key`: what signs our assertions at an upstream, and what they say of themselves. */

const keyOf = (file: string, more = '') =>
  read(leastFile({ upstream: `private_key: { file: k${more} }` }), { files: { k: file } }).upstreams[0]?.assertionKey;
const problemsWith = (file: string, more = '') =>
  problemsOf(leastFile({ upstream: `private_key: { file: k${more} }` }), { files: { k: file } });

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pem = (key: typeof rsa, type: 'pkcs8' | 'pkcs1' | 'sec1') =>
  key.export({ type: type as 'pkcs8', format: 'pem' }).toString();

describe('a private key as PEM', () => {
  it.each([
    ['PKCS#8, RSA', pem(rsa, 'pkcs8'), rsa],
    ['PKCS#1', pem(rsa, 'pkcs1'), rsa],
    ['PKCS#8, EC', pem(ec, 'pkcs8'), ec],
    ['SEC 1', pem(ec, 'sec1'), ec],
    ['with words around it', `Bag Attributes\n  friendlyName: gatehouse\n${pem(rsa, 'pkcs8')}\nthe end\n`, rsa],
    ['with CRLF', pem(ec, 'pkcs8').replaceAll('\n', '\r\n'), ec],
  ])('is the same key as a JWK: %s', (_, text, key) => {
    const { jwk, audience, thumbprints } = keyOf(text) ?? {};
    expect(JSON.parse(jwk?.reveal() ?? '')).toEqual(key.export({ format: 'jwk' }));
    expect({ audience, thumbprints }).toEqual({ audience: 'issuer', thumbprints: undefined });
  });

  it.each([
    [
      'with a passphrase',
      ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    ],
    ['that is public', createPublic()],
    ['that is cut off', pem(rsa, 'pkcs8').slice(0, 300)],
    ['of another kind', generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ])('is refused without a word of it: %s', (_, text) => {
    const [problem, ...more] = problemsWith(text);
    expect(problem?.text).toMatch(/is not a private key, expected .* as PEM without a passphrase, or as JWK/);
    expect(more).toEqual([]);
  });
});

function createPublic(): string {
  return selfSigned().cert;
}

describe('audience', () => {
  it('is the token endpoint where it is said so', () => {
    expect(keyOf(JSON.stringify(ecPrivate), ', audience: token_endpoint')?.audience).toBe('token_endpoint');
  });

  it('is one of two', () => {
    expect(problemsWith(JSON.stringify(ecPrivate), ', audience: me')[0]?.text).toMatch(
      /expected issuer or token_endpoint/,
    );
  });
});

describe('x5t: true', () => {
  const certified = selfSigned();
  const { raw } = new X509Certificate(certified.cert);
  const expected = {
    x5t: createHash('sha1').update(raw).digest('base64url'),
    'x5t#S256': createHash('sha256').update(raw).digest('base64url'),
  };

  it.each([
    ['before the key', `${certified.cert}${certified.key}`],
    ['after it, with others', `${certified.key}${selfSigned().cert}${certified.cert}`],
    [
      'as x5c of a JWK',
      JSON.stringify({
        ...createPrivateKey(certified.key).export({ format: 'jwk' }),
        x5c: [raw.toString('base64')],
      }),
    ],
  ])('names the key by the certificate that stands %s', (_, text) => {
    expect(keyOf(text, ', x5t: true')?.thumbprints).toEqual(expected);
  });

  it.each([
    ['there is none', certified.key, /there is no certificate beside the key/],
    ['it is of another key', `${certified.key}${selfSigned().cert}`, /no certificate belongs to the key/],
    ['a JWK has none', JSON.stringify(ecPrivate), /or x5c in a JWK/],
  ])('is refused where %s', (_, text, words) => {
    expect(problemsWith(text, ', x5t: true')).toMatchObject([
      { key: 'upstreams.corp.private_key.x5t', text: expect.stringMatching(words) },
    ]);
  });

  it('takes no public key for a private one', () => {
    expect(problemsWith(JSON.stringify(ecPublic), ', x5t: true')[0]?.key).toBe('upstreams.corp.private_key');
  });
});
