import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/sealing/secret.ts';
import { openIdUpstream } from '../../src/upstream/openid-upstream.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import type { Behaviour } from '../support/upstream/fake-upstream-behaviour.ts';
import type { Encryption } from '../support/upstream/fake-upstream-encryption.ts';
import { faultOf, newTrip, signInThere } from '../support/upstream/upstream-trip.ts';

/** OpenID Connect Core §10.2, §5.3.2 and Back-Channel Logout §2.4: what a provider encrypts for us. */

const KEYS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  x25519: generateKeyPairSync('x25519').privateKey,
  other: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};
type Name = keyof typeof KEYS;

const privateJwk = (key: KeyObject): JWK => key.export({ format: 'jwk' }) as JWK;
const publicJwk = (name: Name): JWK => {
  const { kty, crv, x, y, n, e } = privateJwk(KEYS[name]);
  return { kty, crv, x, y, n, e } as JWK;
};
const by = (name: Name, more: Partial<Encryption> = {}): Encryption => ({ key: publicJwk(name), ...more });

let fake: FakeUpstream;
let upstream: Upstream;

function meet(...keys: (Name | JWK)[]): void {
  const encryptionKeys = keys.map(
    (key) => new Secret(JSON.stringify(typeof key === 'string' ? privateJwk(KEYS[key]) : key)),
  );
  upstream = openIdUpstream(fake.settings({ encryptionKeys }), { clock: Date.now, timeoutMs: 5000 });
}

beforeEach(async () => {
  fake = await startFakeUpstream();
  meet('rsa');
});
afterEach(() => fake.close());

const needing = (...required: string[]) => newTrip({ neededClaims: { wanted: required, required } });

describe('an encrypted ID token', () => {
  it.each<[Name, string, string]>([
    ['rsa', 'RSA-OAEP', 'A128CBC-HS256'],
    ['rsa', 'RSA-OAEP', 'A256GCM'],
    ['rsa', 'RSA-OAEP-256', 'A128GCM'],
    ['rsa', 'RSA-OAEP-256', 'A256CBC-HS512'],
    ['p256', 'ECDH-ES', 'A192GCM'],
    ['p256', 'ECDH-ES+A128KW', 'A192CBC-HS384'],
    ['p256', 'ECDH-ES+A256KW', 'A256GCM'],
    ['p521', 'ECDH-ES', 'A256GCM'],
    ['x25519', 'ECDH-ES+A256KW', 'A256CBC-HS512'],
  ])('is read: %s, %s, %s', async (name, alg, enc) => {
    meet(name);
    fake.behaviour = { idToken: { encrypted: by(name, { alg, enc }) } };
    const signIn = await signInThere(upstream);
    expect(signIn).toMatchObject({ subject: 'alice', email: 'alice@example.com', sid: 'upstream-session-1' });
    expect(signIn.tokens.idToken?.reveal().split('.')).toHaveLength(3);
  });

  it('is read at a refresh too, and a plain one still is', async () => {
    fake.behaviour = { idToken: { encrypted: by('rsa') } };
    const { tokens } = await signInThere(upstream);
    const session = { subject: 'alice' };
    const refreshed = await upstream.refresh(tokens.refreshToken ?? new Secret(''), session);
    expect(refreshed.signIn?.subject).toBe('alice');
    fake.behaviour = {};
    expect((await upstream.refresh(refreshed.tokens.refreshToken ?? new Secret(''), session)).signIn?.subject).toBe(
      'alice',
    );
  });

  it.each<[string, Behaviour['idToken'], RegExp]>([
    ['whose signature is broken', { signature: 'broken' }, /signature verification failed/],
    ['that somebody else signed', { signature: 'foreign_key' }, /signature verification failed/],
    ['that is signed with our secret', { signature: 'client_secret' }, /./],
    ['that nobody signed', { signature: 'none' }, /./],
    ['for another client', { claims: { aud: 'somebody-else' } }, /aud/],
    ['for another sign-in', { claims: { nonce: 'another' } }, /nonce/],
  ])('is checked inside as if it came plain: %s', async (_, wrong, words) => {
    fake.behaviour = { idToken: { ...wrong, encrypted: by('rsa') } };
    expect(await faultOf(signInThere(upstream))).toMatchObject({
      fault: 'invalid_answer',
      detail: expect.stringMatching(words),
    });
  });

  it.each<[string, Partial<Encryption>, RegExp]>([
    ['claims that nobody signed', { goesWrong: 'holds_unsigned_claims' }, /^ID token is encrypted and holds no signed/],
    ['another encrypted one', { goesWrong: 'encrypts_twice' }, /^ID token is encrypted and holds no signed JWT/],
    [
      'RSA1_5',
      { goesWrong: 'says_RSA1_5' },
      /encrypted with RSA1_5: let the provider use one of RSA-OAEP, RSA-OAEP-256/,
    ],
    ['a length that nobody wants', { goesWrong: 'huge' }, /longer than 262144 characters/],
    [
      'a damaged tag',
      { goesWrong: 'damaged' },
      /cannot be decrypted with upstreams\.corp\.encryption_key: it is damaged/,
    ],
    ['a header that is none', { goesWrong: 'garbled_header' }, /a header that cannot be read/],
    ['the name of another key', { kid: 'k\n2', key: publicJwk('other') }, /for another key, which it names "k\?2"$/],
    ['another key', { key: publicJwk('other') }, /or was encrypted for another key$/],
    ['another kind of key', { key: publicJwk('p256') }, /with ECDH-ES, and upstreams\.corp\.encryption_key has no key/],
  ])('is refused with words that name what to do: %s', async (_, wrong, words) => {
    fake.behaviour = { idToken: { encrypted: by('rsa', wrong) } };
    const { fault, detail } = await faultOf(signInThere(upstream));
    expect([fault, detail]).toEqual(['invalid_answer', expect.stringMatching(words)]);
  });

  it.each(['A128GCM', 'A256CBC-HS512'])('is refused compressed: %s', async (enc) => {
    fake.behaviour = { idToken: { encrypted: by('rsa', { enc, goesWrong: 'compressed' }) } };
    expect((await faultOf(signInThere(upstream))).detail).toMatch(/it is compressed \(zip\), which is not accepted/);
  });

  it('without a key is refused, and the setting is named', async () => {
    meet();
    fake.behaviour = { idToken: { encrypted: by('rsa') } };
    const { fault, detail } = await faultOf(signInThere(upstream));
    expect(fault).toBe('invalid_answer');
    expect(detail).toMatch(/^ID token is encrypted, and there is no upstreams\.corp\.encryption_key: set it to/);
    expect(detail).toMatch(/or switch the encryption off for this client there$/);
  });

  it('that cannot be read at a refresh loses no refresh token', async () => {
    const { tokens } = await signInThere(upstream);
    fake.behaviour = { idToken: { encrypted: by('other') } };
    const error: unknown = await upstream.refresh(tokens.refreshToken ?? new Secret('')).catch((thrown) => thrown);
    expect(error).toMatchObject({ fault: 'invalid_answer', refreshToken: expect.any(Secret) });
  });
});

describe('while a key is replaced', () => {
  const old = { ...privateJwk(KEYS.rsa), kid: 'old' };
  const next = { ...privateJwk(KEYS.other), kid: 'next' };

  it.each<[string, Encryption]>([
    ['the old one, by its name', by('rsa', { kid: 'old' })],
    ['the new one, by its name', by('other', { kid: 'next' })],
    ['the old one, by no name', by('rsa')],
    ['the new one, by a name of the provider’s own', by('other', { kid: 'their-own' })],
  ])('both are tried: %s', async (_, encrypted) => {
    meet(old, next);
    fake.behaviour = { idToken: { encrypted } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('a key with an alg opens nothing of another one', async () => {
    meet({ ...old, alg: 'RSA-OAEP' });
    fake.behaviour = { idToken: { encrypted: by('rsa', { alg: 'RSA-OAEP-256' }) } };
    expect((await faultOf(signInThere(upstream))).detail).toMatch(/with RSA-OAEP-256, and .* has no key for that/);
    fake.behaviour = { idToken: { encrypted: by('rsa', { alg: 'RSA-OAEP' }) } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });
});

describe('encrypted userinfo', () => {
  const discovery = { metadata: { userinfo_signing_alg_values_supported: ['ES256'] } };
  const idToken = { claims: { groups: null } };

  it.each<NonNullable<Behaviour['userinfo']>>([
    { encrypted: by('rsa') },
    { encrypted: by('rsa'), signed: 'good' },
    { encrypted: by('rsa', { alg: 'RSA-OAEP', enc: 'A128CBC-HS256' }) },
  ])('is read, signed or not: %#', async (userinfo) => {
    fake.behaviour = { discovery, idToken, userinfo };
    expect((await signInThere(upstream, needing('groups'))).groups).toEqual(['engineering']);
  });

  it.each<[NonNullable<Behaviour['userinfo']>, RegExp]>([
    [{ encrypted: by('rsa'), signed: 'broken' }, /userinfo: signature verification failed/],
    [{ encrypted: by('other') }, /userinfo cannot be decrypted with upstreams\.corp\.encryption_key/],
    [{ encrypted: by('rsa'), claims: { sub: 'mallory' } }, /./],
  ])('is checked like any other: %#', async (userinfo, words) => {
    fake.behaviour = { discovery, idToken, userinfo };
    expect((await faultOf(signInThere(upstream, needing('groups')))).detail).toMatch(words);
  });

  it('without a key is what could not be had', async () => {
    meet();
    fake.behaviour = { discovery, idToken, userinfo: { encrypted: by('rsa') } };
    expect((await signInThere(upstream)).groups).toBeUndefined();
    expect((await faultOf(signInThere(upstream, needing('groups')))).detail).toMatch(
      /^userinfo is encrypted, and there is no upstreams\.corp\.encryption_key/,
    );
  });
});

describe('an encrypted logout token', () => {
  it('is read, and checked inside', async () => {
    const good = await fake.logoutToken({ encrypted: by('rsa') });
    expect(await upstream.verifyLogoutToken(good)).toMatchObject({ sub: 'alice', sid: 'upstream-session-1' });
    for (const wrong of [{ signature: 'broken' }, { signature: 'none' }, { claims: { aud: 'other' } }] as const) {
      const token = await fake.logoutToken({ ...wrong, encrypted: by('rsa') });
      expect((await faultOf(upstream.verifyLogoutToken(token))).fault).toBe('invalid_answer');
    }
    const foreign = await fake.logoutToken({ encrypted: by('other') });
    expect((await faultOf(upstream.verifyLogoutToken(foreign))).detail).toMatch(/^logout token cannot be decrypted/);
  });
});
