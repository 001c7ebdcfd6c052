import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKey, type SigningKey } from '../../../src/tokens/signing-key-set.ts';
import { createSigningKeys, type ExpectedToken, type SigningKeys } from '../../../src/tokens/signing-keys.ts';
import { anyJson, anyText, inheritedName } from '../../support/samples/inherited-names.ts';
import { NOW_MS, NOW_SECONDS, PUBLIC_URL } from './token-samples.ts';

let rsa: SigningKey;
let ec: SigningKey;
let keys: SigningKeys;
beforeAll(async () => {
  [rsa, ec] = await Promise.all([makeSigningKey('RS256', NOW_MS), makeSigningKey('ES256', NOW_MS)]);
  keys = createSigningKeys({ keys: [rsa, ec] });
});

const CLAIMS = { iss: PUBLIC_URL, sub: 's', aud: 'a', iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };
const EXPECTED: ExpectedToken = { types: ['at+jwt'], issuers: [PUBLIC_URL], nowMs: NOW_MS };

describe('the published keys', () => {
  it('are all of the set, with kid, alg and use, and no private part or note of ours', async () => {
    const published = (await keys.publicJwks()).keys;
    expect(published.map(({ kid }) => kid)).toEqual([rsa.kid, ec.kid]);
    const [publicRsa, publicEc] = published;
    expect(Object.keys(publicRsa ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(Object.keys(publicEc ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('are there as bare base64 SPKI for the RS256 key that signs', async () => {
    const der = Buffer.from((await keys.publicKeyBase64()) ?? '', 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    expect(key.export({ format: 'jwk' })).toMatchObject({ n: rsa.n, e: rsa.e });
    expect(await createSigningKeys({ keys: [ec] }).publicKeyBase64()).toBeUndefined();
  });
});

describe('signing', () => {
  it('takes the first key of each alg', async () => {
    const other = await makeSigningKey('ES256', NOW_MS);
    const several = createSigningKeys({ keys: [rsa, other, ec] });
    const jwt = (await several.sign('ES256', 'at+jwt', CLAIMS)).reveal();
    expect(await createSigningKeys({ keys: [other] }).verify(jwt, EXPECTED)).toEqual(CLAIMS);
    expect(await createSigningKeys({ keys: [ec] }).verify(jwt, EXPECTED)).toBeUndefined();
  });

  it('knows which algs it has, and refuses the others', async () => {
    const onlyEc = createSigningKeys({ keys: [ec] });
    expect(onlyEc.algs).toEqual(['ES256']);
    await expect(onlyEc.sign('RS256', 'at+jwt', CLAIMS)).rejects.toThrow('no RS256 key');
  });

  it('is refused at construction with keys that cannot be used', () => {
    expect(() => createSigningKeys({ keys: [{ ...rsa, alg: 'HS256' }] })).toThrow('RS256 or ES256');
  });
});

describe('keys that are made at start', () => {
  it.each([{ settings: undefined }, { settings: { keys: [] } }])(
    'sign and are published once they are ready',
    async (row) => {
      const made = createSigningKeys(row.settings);
      expect(made.isReady()).toBe(false);
      expect(made.algs).toEqual(['RS256', 'ES256']);
      const jwt = (await made.sign('RS256', 'at+jwt', CLAIMS)).reveal();
      await made.ready;
      expect(made.isReady()).toBe(true);
      expect(await made.verify(jwt, EXPECTED)).toEqual(CLAIMS);
      expect((await made.publicJwks()).keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256']);
    },
  );
});

describe('verifying a token of ours', () => {
  const sign = async (claims: JWTPayload, typ = 'at+jwt'): Promise<string> =>
    (await keys.sign('ES256', typ, claims)).reveal();

  it('answers its claims', async () => {
    expect(await keys.verify(await sign(CLAIMS), EXPECTED)).toEqual(CLAIMS);
    expect(await keys.verify(await sign(CLAIMS), { ...EXPECTED, audiences: ['b', 'a'] })).toEqual(CLAIMS);
  });

  it.each([
    ['expired', { ...CLAIMS, exp: NOW_SECONDS }, {}],
    ['of another issuer', { ...CLAIMS, iss: 'https://elsewhere.example' }, {}],
    ['for another audience', CLAIMS, { audiences: ['b'] }],
    ['of another kind', CLAIMS, { types: ['JWT'] }],
    ['without a subject', { ...CLAIMS, sub: undefined }, {}],
    ['without an end', { ...CLAIMS, exp: undefined }, {}],
  ] as const)('answers undefined for one that is %s', async (_, claims, expected) => {
    const withoutUndefined = JSON.parse(JSON.stringify(claims)) as JWTPayload;
    expect(await keys.verify(await sign(withoutUndefined), { ...EXPECTED, ...expected })).toBeUndefined();
  });

  it('answers undefined for a token whose key was dropped, and for one whose key is retired the claims', async () => {
    const next = await makeSigningKey('ES256', NOW_MS);
    const jwt = await sign(CLAIMS);
    expect(await createSigningKeys({ keys: [next, ec] }).verify(jwt, EXPECTED)).toEqual(CLAIMS);
    expect(await createSigningKeys({ keys: [next] }).verify(jwt, EXPECTED)).toBeUndefined();
  });

  it('answers undefined for forgeries (RFC 8725)', async () => {
    const foreign = await generateKeyPair('RS256', { extractable: true });
    const header = { typ: 'at+jwt', kid: rsa.kid };
    const publicPem = createPublicKey({ key: rsa as unknown as Record<string, unknown>, format: 'jwk' });
    const spki = Buffer.from(publicPem.export({ type: 'spki', format: 'pem' }) as string);
    const jwk: JWK = await exportJWK(foreign.publicKey);
    const good = await sign(CLAIMS);
    const [head = '', body = '', signature = ''] = good.split('.');
    const forgeries = [
      new UnsecuredJWT(CLAIMS).encode(),
      `${Buffer.from(JSON.stringify({ alg: 'none', ...header })).toString('base64url')}.${body}.`,
      await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', ...header }).sign(spki),
      await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', ...header }).sign(foreign.privateKey),
      await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', ...header, jwk }).sign(foreign.privateKey),
      await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', jwk }).sign(foreign.privateKey),
      await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', ...header, kid: ec.kid }).sign(foreign.privateKey),
      `${head}.${Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'admin' })).toString('base64url')}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
      `${good}.x.y`,
      ` ${good}`,
    ];
    for (const forgery of forgeries) expect(await keys.verify(forgery, EXPECTED), forgery).toBeUndefined();
    expect(await keys.verify(good, EXPECTED)).toEqual(CLAIMS);
  });

  it('answers undefined for anything else, and never throws', async () => {
    const part = fc.oneof(
      anyText(),
      anyJson().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
      fc
        .record({
          alg: fc.oneof(fc.constantFrom('RS256', 'ES256', 'none'), inheritedName),
          kid: fc.oneof(fc.constantFrom(ec.kid, rsa.kid, 'x'), inheritedName),
        })
        .map((header) => Buffer.from(JSON.stringify({ ...header, typ: 'at+jwt' })).toString('base64url')),
    );
    const text = fc.oneof(
      anyText(),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (jwt) => {
        expect(await keys.verify(jwt, EXPECTED)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
