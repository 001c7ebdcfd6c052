import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const CLIENT = 'build-cli';

/** What a profile's paths are, what it calls itself, and where its pages are. */
const PROFILES = {
  authentik: {
    start: '/application/o/device/',
    token: '/application/o/token/',
    issuer: '/application/o/corp/',
    document: '/application/o/corp/.well-known/openid-configuration',
    jwks: '/application/o/corp/jwks/',
    revoke: '/application/o/revoke/',
    page: '/device',
    code: 'code',
  },
  'django-oauth-toolkit': {
    start: '/o/device-authorization/',
    token: '/o/token/',
    issuer: '/o',
    document: '/o/.well-known/openid-configuration',
    jwks: '/o/.well-known/jwks.json',
    revoke: '/o/revoke_token/',
    page: '/o/device',
    code: 'user_code',
  },
  Authlete: {
    start: '/api/device/authorization',
    token: '/api/token',
    issuer: '',
    document: '/.well-known/openid-configuration',
    jwks: '/api/jwks',
    revoke: '/api/revocation',
    page: '/api/device/verification',
    code: 'user_code',
  },
} as const;

let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker({
    yaml: { compatibility: { authentik: { slug: 'corp' }, django_oauth_toolkit: true, authlete: true } },
  });
});
afterAll(() => test.close());

const form = (path: string, parameters: Record<string, string>) =>
  test.device().send(path, { method: 'POST', body: new URLSearchParams(parameters) });
const start = (at: string) => form(at, { client_id: CLIENT, scope: 'openid profile' });
const poll = (code: string, at: string) =>
  form(at, { client_id: CLIENT, grant_type: DEVICE_CODE_GRANT, device_code: code });
const refresh = (token: string, at: string) =>
  form(at, { client_id: CLIENT, grant_type: 'refresh_token', refresh_token: token });

describe.each(Object.entries(PROFILES))('%s’s paths', (name, at) => {
  const slashes = (path: string) => (path.endsWith('/') ? [path, path.slice(0, -1)] : [path]);

  it('lead through a whole sign-in, whose tokens carry the profile’s issuer', async () => {
    const { body: grant } = await start(at.start);
    await test.approve(grant.user_code);
    const { body: tokens } = await poll(grant.device_code, at.token);
    expect(decodeJwt(tokens.access_token).iss).toBe(test.publicUrl + at.issuer);
    const again = await refresh(tokens.refresh_token, at.token);
    expect(decodeJwt(again.body.access_token).iss).toBe(test.publicUrl + at.issuer);
    expect((await form(at.revoke, { client_id: CLIENT, token: again.body.refresh_token })).status).toBe(200);
    expect((await refresh(again.body.refresh_token, at.token)).body.error).toBe('invalid_grant');
  });

  it.each(slashes(at.start))('device authorization answers at %s', async (path) => {
    expect((await start(path)).status).toBe(200);
  });

  it.each(slashes(at.token))('the token endpoint answers at %s, never with a redirect', async (path) => {
    const { body: grant } = await start(at.start);
    expect((await poll(grant.device_code, path)).body.error).toBe('authorization_pending');
  });

  it('the discovery document names the profile’s own addresses', async () => {
    const { body } = await test.device().send(at.document);
    expect(body['issuer']).toBe(test.publicUrl + at.issuer);
    if (name === 'Authlete') return;
    expect(body['device_authorization_endpoint']).toBe(test.publicUrl + at.start);
    expect(body['token_endpoint']).toBe(test.publicUrl + at.token);
    expect(body['jwks_uri']).toBe(test.publicUrl + at.jwks);
  });

  it('its keys are ours', async () => {
    const [own, usual] = [await test.device().send(at.jwks), await test.device().send('/jwks')];
    expect(own.body).toEqual(usual.body);
  });

  it('its page fills in the code', async () => {
    const { body } = await start(at.start);
    const page = await test.device().send(`${at.page}?${at.code}=${body.user_code}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain(`value="${body.user_code}"`);
  });

  const elsewhere = Object.values(PROFILES).filter(({ token }) => token !== at.token);
  it.each(
    // Authlete’s profile and our own paths are one issuer.
    [...elsewhere.map(({ token, issuer }) => ({ token, issuer })), { token: '/token', issuer: '' }].filter(
      ({ issuer }) => issuer !== at.issuer,
    ),
  )('what was started here is neither redeemed nor refreshed at $token', async ({ token }) => {
    const { body: grant } = await start(at.start);
    await test.approve(grant.user_code);
    expect((await poll(grant.device_code, token)).body.error).toBe('invalid_grant');
    const { body: tokens } = await poll(grant.device_code, at.token);
    expect((await refresh(tokens.refresh_token, token)).body.error).toBe('invalid_grant');
    expect((await refresh(tokens.refresh_token, at.token)).status).toBe(200);
  });
});

it('Authlete’s profile has no issuer of its own: /token redeems what it started, with public_url in the tokens', async () => {
  const { body: grant } = await start('/api/device/authorization');
  await test.approve(grant.user_code);
  const { body } = await poll(grant.device_code, '/token');
  expect(decodeJwt(body.access_token).iss).toBe(test.publicUrl);
});

it('Authlete’s completion page is the confirmation: without a sign-in it connects nothing', async () => {
  const page = await test.device().send('/api/device/complete');
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.status).toBe(400);
});

it('django-oauth-toolkit’s page answers with the slash too', async () => {
  expect((await test.device().send('/o/device/')).status).toBe(200);
});

describe('where a profile is not switched on', () => {
  it.each([
    ['POST', '/realms/corp/protocol/openid-connect/token'],
    ['GET', '/realms/corp'],
  ])('%s %s is not there', async (method, path) => {
    expect((await test.device().send(path, { method })).status).toBe(404);
  });
});

it('profiles hang at the origin’s root, also where public_url has a path', async () => {
  const below = await createTestBroker({
    publicUrl: 'https://login.example.com/gatehouse',
    yaml: { trusted_proxies: [], compatibility: { django_oauth_toolkit: true } },
  });
  const { body } = await below.device().send('/o/.well-known/openid-configuration');
  expect(body['issuer']).toBe('https://login.example.com/o');
  const started = await below.device().send('/o/device-authorization/', {
    method: 'POST',
    body: new URLSearchParams({ client_id: CLIENT }),
  });
  expect(started.body['verification_uri']).toBe('https://login.example.com/gatehouse/device');
  await below.close();
});
