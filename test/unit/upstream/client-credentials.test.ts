import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import { basicCredentials } from '../../../src/upstream/requests/client-authentication.ts';
import type { AssertionKey } from '../../../src/upstream/upstream-settings.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/upstream/fake-upstream.ts';
import { faultOf, signInThere } from '../../support/upstream/upstream-trip.ts';

/** How Gatehouse says who it is at an upstream (RFC 6749 §2.3.1, RFC 7523). */

const keyOf = (jwk: JWK, more: Partial<AssertionKey> = {}): AssertionKey => ({
  jwk: new Secret(JSON.stringify(jwk)),
  audience: 'issuer',
  ...more,
});

let fake: FakeUpstream | undefined;
afterEach(() => fake?.close());

describe.each(['client_secret_basic', 'client_secret_post', 'none'] as const)('%s', (authentication) => {
  it('signs in, refreshes and revokes', async () => {
    fake = await startFakeUpstream({ authentication, clientSecret: 'pässword + 100% : "quoted"' });
    const upstream = openIdUpstream(fake.settings(), { clock: Date.now });
    const { tokens } = await signInThere(upstream);
    const refreshed = await upstream.refresh(tokens.refreshToken ?? new Secret(''));
    expect(await upstream.revoke(refreshed.tokens.refreshToken ?? new Secret(''), 'refresh_token')).toBe(true);
  });
});

describe('client_secret_basic', () => {
  it('leaves alone what needs no encoding, for servers that do not decode', () => {
    const header = basicCredentials('gate-harness1', 'a.b-c_d~e f');
    expect(Buffer.from(header.slice('Basic '.length), 'base64').toString()).toBe('gate-harness1:a.b-c_d%7Ee+f');
  });
});

describe('private_key_jwt', () => {
  it.each(['ES256', 'RS256', 'Ed25519'])('names the issuer as the only audience and says its type: %s', async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const privateJwk = { ...(await exportJWK(privateKey)), kid: 'k1' };
    const clientKey = { ...(await exportJWK(publicKey)), kid: 'k1' };
    fake = await startFakeUpstream({ authentication: 'private_key_jwt', clientKey });
    const settings = fake.settings({ assertionKey: keyOf(privateJwk) });
    const upstream = openIdUpstream(settings, { clock: Date.now });
    expect((await signInThere(upstream)).subject).toBe('alice');

    const [{ form } = { form: new URLSearchParams() }] = fake.requestsTo('/token');
    const [header = '', payload = ''] = (form.get('client_assertion') ?? '').split('.');
    const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(decode(header)).toEqual({ alg, kid: 'k1', typ: 'client-authentication+jwt' });
    expect(decode(payload)).toMatchObject({ iss: 'gatehouse', sub: 'gatehouse', aud: fake.issuer });
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect(form.has('client_secret')).toBe(false);
  });

  it('names the token endpoint where the provider takes nothing else, and then no newer type (Okta)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    fake = await startFakeUpstream({ authentication: 'private_key_jwt', clientKey: await exportJWK(publicKey) });
    fake.behaviour = { assertion: { audience: 'token_endpoint', typ: 'JWT' } };
    const jwk = await exportJWK(privateKey);
    const asUsual = openIdUpstream(fake.settings({ assertionKey: keyOf(jwk) }), { clock: Date.now });
    expect((await faultOf(signInThere(asUsual))).fault).toBe('client_rejected');
    const settings = fake.settings({ assertionKey: keyOf(jwk, { audience: 'token_endpoint' }) });
    const upstream = openIdUpstream(settings, { clock: Date.now });
    const { tokens } = await signInThere(upstream);
    await upstream.refresh(tokens.refreshToken ?? new Secret(''));
    expect(await upstream.revoke(tokens.accessToken, 'access_token')).toBe(true);
  });

  it('names its key by its certificate where the provider knows it by that (Entra ID)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('PS256', { extractable: true });
    fake = await startFakeUpstream({ authentication: 'private_key_jwt', clientKey: await exportJWK(publicKey) });
    fake.behaviour = { assertion: { x5t: 'the-thumbprint' } };
    const jwk = { ...(await exportJWK(privateKey)), alg: 'PS256' };
    const nameless = openIdUpstream(fake.settings({ assertionKey: keyOf(jwk) }), { clock: Date.now });
    expect((await faultOf(signInThere(nameless))).fault).toBe('client_rejected');
    const thumbprints = { x5t: 'the-thumbprint', 'x5t#S256': 'another-one' };
    const settings = fake.settings({ assertionKey: keyOf(jwk, { thumbprints }) });
    expect((await signInThere(openIdUpstream(settings, { clock: Date.now }))).subject).toBe('alice');
  });

  it('makes a new assertion for every request', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    fake = await startFakeUpstream({ authentication: 'private_key_jwt', clientKey: await exportJWK(publicKey) });
    const settings = fake.settings({ assertionKey: keyOf(await exportJWK(privateKey)) });
    const upstream = openIdUpstream(settings, { clock: Date.now });
    const { tokens } = await signInThere(upstream);
    await upstream.refresh(tokens.refreshToken ?? new Secret(''));
    const ids = fake.requestsTo('/token').map(({ form }) => {
      const payload = (form.get('client_assertion') ?? '').split('.')[1] ?? '';
      return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string }).jti;
    });
    expect(new Set(ids).size).toBe(2);
  });

  it.each(['', 'not JSON', '{}', '{"kty":"oct","k":"AAAA"}'])(
    'is told to the administrator when %j is no private key',
    async (text) => {
      fake = await startFakeUpstream({ authentication: 'private_key_jwt' });
      const upstream = openIdUpstream(fake.settings({ assertionKey: { jwk: new Secret(text), audience: 'issuer' } }), {
        clock: Date.now,
      });
      const { fault, detail } = await faultOf(signInThere(upstream));
      expect(fault).toBe('client_rejected');
      expect(detail).toContain('private_key of upstream corp');
    },
  );

  it('is told to the administrator when the key is a public one', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    fake = await startFakeUpstream({ authentication: 'private_key_jwt' });
    const settings = fake.settings({ assertionKey: keyOf(await exportJWK(publicKey)) });
    expect((await faultOf(signInThere(openIdUpstream(settings, { clock: Date.now })))).fault).toBe('client_rejected');
  });
});
