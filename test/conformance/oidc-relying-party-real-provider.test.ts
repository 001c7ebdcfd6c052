import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/sealing/secret.ts';
import { openIdUpstream } from '../../src/upstream/openid-upstream.ts';
import type { SignIn, TripParameters, Upstream } from '../../src/upstream/upstream.ts';
import type { UpstreamSettings } from '../../src/upstream/upstream-settings.ts';
import { REACH } from '../support/upstream/fake-upstream.ts';
import {
  type EmbeddedUpstream,
  signInAtEmbeddedUpstream,
  startEmbeddedUpstream,
} from '../support/upstream/oidc-upstream.ts';
import { CALLBACK, faultOf, newTrip, PUBLIC_URL } from '../support/upstream/upstream-trip.ts';

/** The adapter and a certified OpenID provider that was not written for it. */

const SECRET = 'the-secret-of-this-test-client';
let provider: EmbeddedUpstream;
let upstream: Upstream;

function settings(changes: Partial<UpstreamSettings> = {}): UpstreamSettings {
  return {
    id: 'corp',
    displayName: 'Example Corp',
    issuer: provider.issuer,
    clientId: 'gatehouse',
    authentication: 'client_secret_basic',
    clientSecret: new Secret(SECRET),
    scopes: ['openid', 'profile', 'email'],
    claims: { subject: 'sub', name: 'name', email: 'email', groups: { from: 'groups', keys: false } },
    groupsOverage: 'off',
    responseMode: 'query',
    frontChannelLogout: false,
    authorizationParameters: {},
    toleranceSeconds: 3600,
    clockToleranceSeconds: 30,
    reach: REACH,
    userinfo: 'auto',
    offlineAccess: 'auto',
    uncheckedSessionSeconds: 43_200,
    recheckSeconds: 0,
    ...changes,
  };
}

async function signIn(user: string, trip: TripParameters = newTrip(), at: Upstream = upstream): Promise<SignIn> {
  const back = await signInAtEmbeddedUpstream(fetch, await at.signInAddress(trip), user, 'approve');
  return at.finishSignIn(back, trip);
}

const keyPair = generateKeyPair('ES256', { extractable: true });

beforeAll(async () => {
  const { publicKey } = await keyPair;
  provider = await startEmbeddedUpstream({
    clients: [
      { clientId: 'gatehouse', secret: SECRET, redirectUris: [CALLBACK] },
      { clientId: 'by-post', secret: SECRET, authentication: 'client_secret_post', redirectUris: [CALLBACK] },
      { clientId: 'public', redirectUris: [CALLBACK] },
      {
        clientId: 'by-key',
        authentication: 'private_key_jwt',
        jwks: { keys: [await exportJWK(publicKey)] },
        redirectUris: [CALLBACK],
      },
    ],
  });
});
afterAll(() => provider.close());
beforeEach(() => {
  upstream = openIdUpstream(settings(), { clock: Date.now });
});

describe('with a real OpenID provider', () => {
  it('a person signs in by code flow, PKCE, nonce and iss, with claims from userinfo', async () => {
    expect(await signIn('alice')).toMatchObject({
      subject: 'alice',
      name: 'Alice Adams',
      email: 'alice@example.com',
      groups: ['engineering', 'on-call'],
      tokens: { tokenType: 'Bearer', scopes: ['openid', 'profile', 'email'] },
    });
  });

  it('a person who says no is access_denied', async () => {
    const trip = newTrip();
    const back = await signInAtEmbeddedUpstream(fetch, await upstream.signInAddress(trip), 'alice', 'deny');
    expect((await faultOf(upstream.finishSignIn(back, trip))).fault).toBe('access_denied');
  });

  it('prompts, max_age and another account are asked for and answered', async () => {
    expect((await signIn('alice', newTrip({ prompt: 'login', maxAgeSeconds: 30 }))).authTimeSeconds).toBeTypeOf(
      'number',
    );
    expect((await signIn('bob', newTrip({ prompt: 'select_account' }))).subject).toBe('bob');
    expect(
      (await signIn('bob', newTrip({ prompt: 'consent', scopes: ['offline_access'], wantsRefreshToken: true }))).tokens
        .scopes,
    ).toContain('offline_access');
  });

  it('refresh tokens rotate, and stop when the account is closed', async () => {
    const first = (await signIn('alice')).tokens.refreshToken ?? new Secret('');
    const { tokens, signIn: renewed } = await upstream.refresh(first, { subject: 'alice' });
    expect(renewed).toMatchObject({ subject: 'alice', groups: ['engineering', 'on-call'] });
    expect(tokens.refreshToken?.reveal()).not.toBe(first.reveal());
    provider.disable('alice');
    const refused = await faultOf(upstream.refresh(tokens.refreshToken ?? new Secret('')));
    provider.enable('alice');
    expect(refused.fault).toBe('invalid_grant');
  });

  it('a revoked refresh token is gone', async () => {
    const token = (await signIn('alice')).tokens.refreshToken ?? new Secret('');
    expect(await upstream.revoke(token, 'refresh_token')).toBe(true);
    expect((await faultOf(upstream.refresh(token))).fault).toBe('invalid_grant');
  });

  it('every client authentication works', async () => {
    const jwk = new Secret(JSON.stringify(await exportJWK((await keyPair).privateKey)));
    const ways: Partial<UpstreamSettings>[] = [
      { clientId: 'by-post', authentication: 'client_secret_post' },
      { clientId: 'public', authentication: 'none' },
      { clientId: 'by-key', authentication: 'private_key_jwt', assertionKey: { jwk, audience: 'issuer' } },
    ];
    for (const way of ways) {
      const other = openIdUpstream(settings(way), { clock: Date.now });
      expect((await signIn('alice', newTrip(), other)).subject).toBe('alice');
    }
  });

  it('a wrong secret is told to the administrator', async () => {
    const wrong = openIdUpstream(settings({ clientSecret: new Secret('wrong-secret') }), { clock: Date.now });
    expect((await faultOf(signIn('alice', newTrip(), wrong))).fault).toBe('client_rejected');
  });

  it('the probe finds what is there, and that an address is not registered', async () => {
    const good = await upstream.probe(PUBLIC_URL);
    expect(good.findings.filter(({ level }) => level === 'wrong')).toEqual([]);
    expect(good.ok).toBe(true);
    const wrong = await upstream.probe('http://127.0.0.1:8080/unregistered');
    expect(wrong.ok).toBe(false);
    expect(JSON.stringify(wrong)).toContain('register exactly');
  });

  it('its logout tokens are accepted and name the session of the sign-in', async () => {
    const logoutTokens: string[] = [];
    const receiver = createServer((request, response) => {
      void text(request).then((body) => {
        logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '');
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as { port: number };
    const another = await startEmbeddedUpstream({
      clients: [
        {
          clientId: 'gatehouse',
          secret: SECRET,
          redirectUris: [CALLBACK],
          backchannelLogoutUri: `http://127.0.0.1:${port}/backchannel-logout/corp`,
        },
      ],
    });
    try {
      const listener = openIdUpstream(settings({ issuer: another.issuer }), { clock: Date.now });
      const { sid = 'none' } = await signIn('alice', newTrip(), listener);
      await another.logOut('bob');
      expect(logoutTokens).toEqual([]);
      await another.logOut('alice');
      expect(await listener.verifyLogoutToken(logoutTokens[0] ?? '')).toMatchObject({ sub: 'alice', sid });
    } finally {
      await another.close();
      await new Promise((resolve) => receiver.close(resolve));
    }
  });

  it('that comes back with new keys after a restart is found again', async () => {
    const options = { clients: [{ clientId: 'gatehouse', secret: SECRET, redirectUris: [CALLBACK] }] };
    const before = await startEmbeddedUpstream(options);
    const restarted = openIdUpstream(settings({ issuer: before.issuer }), { clock: Date.now });
    const { refreshToken = new Secret('') } = (await signIn('alice', newTrip(), restarted)).tokens;
    await before.close();
    expect((await faultOf(restarted.refresh(refreshToken))).fault).toBe('unavailable');
    const after = await startEmbeddedUpstream({ ...options, port: before.port });
    try {
      expect((await signIn('alice', newTrip(), restarted)).subject).toBe('alice');
    } finally {
      await after.close();
    }
  });
});
