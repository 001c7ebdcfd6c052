import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { importX509, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  checkSigningKeys,
  formatSigningKeySet,
  parseSigningKeySet,
  SigningKeySetError,
} from '../../../src/tokens/signing-key-set.ts';
import { createSigningKeys } from '../../../src/tokens/signing-keys.ts';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { NOW_MS } from './token-samples.ts';

function certifiedKey() {
  const { key, cert } = selfSigned('signs tokens');
  const { raw } = new X509Certificate(cert);
  const thumbprint = (algorithm: string) => createHash(algorithm).update(raw).digest('base64url');
  const jwk = { ...createPrivateKey(key).export({ format: 'jwk' }), kid: 'certified', alg: 'ES256', use: 'sig' };
  const members = { x5c: [raw.toString('base64')], x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') };
  return { jwk, members };
}

describe('the certificates of a signing key', () => {
  it('are published with it, and verify what it signs', async () => {
    const { jwk, members } = certifiedKey();
    const signingKeys = createSigningKeys({ keys: checkSigningKeys([{ ...jwk, ...members }]) });
    const [published] = (await signingKeys.publicJwks()).keys;
    expect(published).toMatchObject(members);
    expect(published).not.toHaveProperty('d');
    const token = await signingKeys.sign('ES256', 'at+jwt', { sub: 'anna' });
    const pem = `-----BEGIN CERTIFICATE-----\n${published?.x5c?.[0]}\n-----END CERTIFICATE-----`;
    expect((await jwtVerify(token.reveal(), await importX509(pem, 'ES256'))).payload.sub).toBe('anna');
  });

  it('stay in the file when it is written anew, and one alone is enough', () => {
    const { jwk, members } = certifiedKey();
    const chain = [...members.x5c, ...certifiedKey().members.x5c];
    for (const some of [{ x5c: members.x5c }, { x5t: members.x5t }, { ...members, x5c: chain }]) {
      const keys = checkSigningKeys([{ ...jwk, ...some }]);
      expect(parseSigningKeySet(formatSigningKeySet(keys))[0]).toMatchObject(some);
    }
  });

  it('are left out where there are none', async () => {
    const { jwk } = certifiedKey();
    const [published] = (await createSigningKeys({ keys: checkSigningKeys([jwk]) }).publicJwks()).keys;
    expect(Object.keys(published ?? {}).filter((name) => name.startsWith('x5'))).toEqual([]);
  });

  const other = certifiedKey().members;
  it.each<[string, object]>([
    ['is for another key', { x5c: other.x5c }],
    ['no list of certificates', { x5c: [] }],
    ['no list of certificates', { x5c: 'MIIB' }],
    ['no list of certificates', { x5c: ['MIIB'] }],
    ['no list of certificates', { x5c: [7] }],
    ['no list of certificates', { x5c: null }],
    ['no list of certificates', { x5c: [other.x5c[0]?.replace(/[+/]/, '-')?.concat('\n')] }],
    ['not the thumbprint', { x5t: other.x5t }],
    ['not the thumbprint', { 'x5t#S256': other['x5t#S256'] }],
    ['no text', { x5t: 1 }],
  ])('are refused with the reason: %s', (reason, change) => {
    const { jwk, members } = certifiedKey();
    const check = () => checkSigningKeys([{ ...jwk, ...members, ...change }]);
    expect(check).toThrow(SigningKeySetError);
    expect(check).toThrow(reason);
  });

  it('change nothing of how old a key is', () => {
    const { jwk, members } = certifiedKey();
    expect(checkSigningKeys([{ ...jwk, ...members, iat: NOW_MS / 1000 }])[0]?.iat).toBe(NOW_MS / 1000);
  });
});
