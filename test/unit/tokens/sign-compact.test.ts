import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { signCompact } from '../../../src/tokens/sign-compact.ts';

const KEYS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const claims = { iss: 'https://login.example.com', sub: 'corp|Zoë “Z” 漢', aud: ['a', 'b'], left: undefined };

describe.each(['RS256', 'ES256'] as const)('a token signed with %s', (alg) => {
  const { privateKey, publicKey } = KEYS[alg];
  const header = { alg, typ: 'at+jwt', kid: 'k1' };

  it('verifies elsewhere, with its header and claims', async () => {
    const jwt = await signCompact(header, claims, privateKey);
    const { payload, protectedHeader } = await jwtVerify(jwt, publicKey, { algorithms: [alg] });
    expect(protectedHeader).toEqual(header);
    expect(payload).toEqual({ iss: claims.iss, sub: claims.sub, aud: claims.aud });
  });

  it('is, but for the signature, the text that jose makes', async () => {
    const theirs = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
    const ours = await signCompact(header, claims, privateKey);
    expect(ours.slice(0, ours.lastIndexOf('.'))).toBe(theirs.slice(0, theirs.lastIndexOf('.')));
    await expect(compactVerify(ours, publicKey)).resolves.toBeDefined();
  });

  it('rejects where the key does not fit', async () => {
    const other = alg === 'RS256' ? KEYS.RS256.publicKey : KEYS.ES256.publicKey;
    await expect(signCompact(header, claims, other)).rejects.toThrow();
  });
});
