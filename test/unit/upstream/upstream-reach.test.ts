import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import type { SignIn, Upstream } from '../../../src/upstream/upstream.ts';
import type { Reach, UpstreamSettings } from '../../../src/upstream/upstream-settings.ts';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { type ConnectProxy, startConnectProxy } from '../../support/upstream/connect-proxy.ts';
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  REACH,
  startFakeUpstream,
} from '../../support/upstream/fake-upstream.ts';
import { faultOf, newTrip } from '../../support/upstream/upstream-trip.ts';

/** How an upstream is reached that is not simply at the addresses that its document names. */

const PUBLIC = 'https://sso.example.com';
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function fakeUpstream(options: FakeUpstreamOptions): Promise<FakeUpstream> {
  const fake = await startFakeUpstream(options);
  opened.push(fake);
  return fake;
}

async function proxy(options: Parameters<typeof startConnectProxy>[0] = {}): Promise<ConnectProxy> {
  const started = await startConnectProxy(options);
  opened.push(started);
  return started;
}

function reached(fake: FakeUpstream, reach: Partial<Reach>, changes: Partial<UpstreamSettings> = {}): Upstream {
  const settings = fake.settings({ reach: { ...REACH, ...reach }, ...changes });
  return openIdUpstream(settings, { clock: Date.now, timeoutMs: 3000 });
}

/** The browser is where the public address leads to the upstream, as people's browsers are. */
async function signIn(upstream: Upstream, fake: FakeUpstream): Promise<SignIn> {
  const trip = newTrip({ neededClaims: { wanted: ['groups'], required: ['groups'] } });
  const address = await upstream.signInAddress(trip);
  const there = address.href.replace(PUBLIC, fake.origin);
  const location = (await fetch(there, { redirect: 'manual' })).headers.get('location') ?? '';
  return upstream.finishSignIn(new URL(location), trip);
}

describe('back_channel: everything that we call is somewhere else than what the browser sees', () => {
  it('signs in, refreshes, revokes and takes logout tokens', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    fake.behaviour = { idToken: { claims: { groups: null } } };
    const upstream = reached(fake, { backChannel: fake.origin });
    expect((await upstream.signInAddress(newTrip())).href).toMatch(`${PUBLIC}/authorize?`);
    const { subject, groups, tokens } = await signIn(upstream, fake);
    expect({ subject, groups }).toEqual({ subject: 'alice', groups: ['engineering'] });
    const refreshed = await upstream.refresh(tokens.refreshToken ?? new Secret(''), { subject: 'alice' });
    expect(refreshed.signIn?.groups).toEqual(['engineering']);
    expect(await upstream.revoke(refreshed.tokens.refreshToken ?? new Secret(''), 'refresh_token')).toBe(true);
    expect((await upstream.verifyLogoutToken(await fake.logoutToken())).sub).toBe('alice');
  });

  it('checks ID tokens against the issuer, not against where they came from', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    fake.behaviour = { idToken: { claims: { iss: fake.origin } } };
    const upstream = reached(fake, { backChannel: fake.origin });
    expect((await faultOf(signIn(upstream, fake))).detail).toContain(`not "${PUBLIC}"`);
  });

  it('takes no document that names another issuer, and says what both are', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    fake.behaviour = { discovery: { metadata: { issuer: fake.origin } } };
    const { detail } = await faultOf(reached(fake, { backChannel: fake.origin }).signInAddress(newTrip()));
    expect(detail).toContain(`says issuer "${fake.origin}", the configuration says "${PUBLIC}"`);
  });

  it('says to the provider whom an assertion is for by the name that it knows itself by', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const fake = await fakeUpstream({
      issuer: PUBLIC,
      authentication: 'private_key_jwt',
      clientKey: await exportJWK(publicKey),
    });
    const jwk = new Secret(JSON.stringify(await exportJWK(privateKey)));
    expect(
      (await signIn(reached(fake, { backChannel: fake.origin }, { assertionKey: { jwk, audience: 'issuer' } }), fake))
        .subject,
    ).toBe('alice');
  });

  it('is where check --probe asks too, sign-in page included', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    fake.behaviour = { authorize: { error: 'login_required', code: null } };
    const report = await reached(fake, { backChannel: fake.origin }).probe('http://127.0.0.1:8080');
    expect(report.ok).toBe(true);
    expect(fake.requestsTo('/authorize')).toHaveLength(1);
  });
});

describe('endpoints: an address in place of one of the document’s', () => {
  it('the document itself, where it is not at its issuer', async () => {
    const fake = await fakeUpstream({ issuer: `${PUBLIC}/8f0c/v2.0/` });
    fake.behaviour = { discovery: { path: '/corp/b2c_1_signin/v2.0/.well-known/openid-configuration' } };
    const discovery = `${fake.origin}/corp/b2c_1_signin/v2.0/.well-known/openid-configuration?p=b2c_1_signin`;
    const address = await reached(fake, { endpoints: { discovery } }).signInAddress(newTrip());
    expect(address.href).toMatch(`${PUBLIC}/8f0c/v2.0//authorize?`);
    expect(fake.requests.at(-1)?.query.get('p')).toBe('b2c_1_signin');
  });

  it('each that we call, also where the document has none or one that leads nowhere', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    const nowhere = 'https://127.0.0.1:9/nowhere';
    fake.behaviour = {
      discovery: {
        metadata: { token_endpoint: nowhere, jwks_uri: nowhere, userinfo_endpoint: null, revocation_endpoint: null },
      },
      idToken: { claims: { groups: null } },
    };
    const at = (path: string) => fake.origin + path;
    const upstream = reached(fake, {
      endpoints: {
        discovery: at('/.well-known/openid-configuration'),
        token: at('/token'),
        jwks: at('/jwks'),
        userinfo: at('/userinfo'),
        revocation: at('/revoke'),
      },
    });
    const { groups, tokens } = await signIn(upstream, fake);
    expect(groups).toEqual(['engineering']);
    expect(await upstream.revoke(tokens.accessToken, 'access_token')).toBe(true);
  });
});

describe('a document that leads to this machine, where its issuer is not', () => {
  /** Something that listens on loopback and is nobody's upstream. */
  async function bystander() {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => new Promise((resolve) => server.close(resolve)) });
    return { seen, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` };
  }

  it.each(['jwks_uri', 'token_endpoint', 'userinfo_endpoint'])('is not followed there: %s', async (member) => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    const { seen, address } = await bystander();
    fake.behaviour = {
      discovery: { metadata: { [member]: address } },
      idToken: { claims: { groups: null } },
    };
    const at = (path: string) => fake.origin + path;
    const stated = { discovery: at('/.well-known/openid-configuration'), token: at('/token'), jwks: at('/jwks') };
    const key = { jwks_uri: 'jwks', token_endpoint: 'token', userinfo_endpoint: 'userinfo' }[member];
    const endpoints = Object.fromEntries(Object.entries(stated).filter(([name]) => name !== key));
    const { detail } = await faultOf(signIn(reached(fake, { endpoints }), fake));
    expect(detail).toContain(`${address} is on loopback, where the issuer is not`);
    expect(seen).toEqual([]);
  });

  it('not for a junk logout token either', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    const { seen, address } = await bystander();
    fake.behaviour = { discovery: { metadata: { jwks_uri: address } } };
    const upstream = reached(fake, {
      endpoints: { discovery: `${fake.origin}/.well-known/openid-configuration` },
    });
    const junk = await fake.logoutToken({ signature: 'broken' });
    expect((await faultOf(upstream.verifyLogoutToken(junk))).detail).toContain('on loopback');
    expect(seen).toEqual([]);
  });

  it('nor is the browser sent there', async () => {
    const fake = await fakeUpstream({ issuer: PUBLIC });
    const { address } = await bystander();
    fake.behaviour = { discovery: { metadata: { authorization_endpoint: address } } };
    const upstream = reached(fake, { backChannel: fake.origin });
    expect((await faultOf(upstream.signInAddress(newTrip()))).detail).toContain('on loopback');
    fake.behaviour = { discovery: { metadata: { authorization_endpoint: 'http://sso.example.com/authorize' } } };
    const plain = reached(fake, { backChannel: fake.origin });
    expect((await faultOf(plain.signInAddress(newTrip()))).detail).toContain('is not https');
  });
});

describe('ca: who may vouch for the upstream', () => {
  it('is who the settings name', async () => {
    const certified = selfSigned();
    const fake = await fakeUpstream({ tls: certified });
    expect((await reached(fake, { ca: certified.cert }).signInAddress(newTrip())).origin).toBe(fake.origin);
    const { fault, detail } = await faultOf(reached(fake, {}).signInAddress(newTrip()));
    expect(fault).toBe('unavailable');
    expect(detail).toMatch(/SELF_SIGNED.*this upstream’s ca/);
  });
});

describe('proxy', () => {
  it('is what every request goes over, and nothing else sees the upstream’s name', async () => {
    const certified = selfSigned();
    const fake = await fakeUpstream({ tls: certified, issuer: 'https://localhost' });
    const over = await proxy({ leadsTo: { port: Number(new URL(fake.origin).port) } });
    const upstream = reached(fake, { ca: certified.cert, proxy: { url: over.url } });
    await upstream.signInAddress(newTrip());
    expect((await upstream.verifyLogoutToken(await fake.logoutToken())).sub).toBe('alice');
    expect(new Set(over.tunnels)).toEqual(new Set(['localhost:443']));
  });

  it('is told who we are where it asks', async () => {
    const fake = await fakeUpstream({});
    const over = await proxy({ credentials: 'gatehouse:pass: word' });
    const told = { url: over.url, username: 'gatehouse', password: new Secret('pass: word') };
    await reached(fake, { proxy: told }).signInAddress(newTrip());
    expect(over.tunnels).toHaveLength(1);
  });

  it.each([
    ['does not let us through', { credentials: 'gatehouse:right' }, /over the proxy http:\/\/127\.0\.0\.1:\d+.*407/],
    ['is away', undefined, /over the proxy http:\/\/127\.0\.0\.1:9: ECONNREFUSED/],
  ])('that %s is named in the log', async (_, options, words) => {
    const fake = await fakeUpstream({});
    const url = options === undefined ? 'http://127.0.0.1:9' : (await proxy(options)).url;
    const wrong = { url, username: 'gatehouse', password: new Secret('s3cret-of-the-proxy') };
    const { fault, detail } = await faultOf(reached(fake, { proxy: wrong }).signInAddress(newTrip()));
    expect(fault).toBe('unavailable');
    expect(detail).toMatch(words);
    expect(detail).not.toContain('s3cret');
  });
});
