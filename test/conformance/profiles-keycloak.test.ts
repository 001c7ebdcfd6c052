import { createPublicKey } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const CLIENT = 'build-cli';
const LIFETIMES = { refresh_idle: '1h', access_token: '5m' };

describe.each([
  ['/realms/corp', {}],
  ['/auth/realms/corp', { prefix: '/auth' }],
])('Keycloak’s paths at %s', (realm, more) => {
  let test: TestBroker;
  let issuer: string;
  const protocol = `${realm}/protocol/openid-connect`;
  beforeAll(async () => {
    test = await createTestBroker({
      environment: { API_SECRET: 'secret-of-the-api' },
      yaml: {
        compatibility: { keycloak: { realm: 'corp', ...more } },
        resource_servers: { api: { audience: 'https://api.example', client_secret: { env: 'API_SECRET' } } },
        clients: {
          [CLIENT]: { signing_alg: 'RS256', resources: ['https://api.example'], lifetimes: LIFETIMES },
        },
      },
    });
    issuer = test.publicUrl + realm;
  });
  afterAll(() => test.close());

  const form = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    test.device().send(path, { method: 'POST', headers, body: new URLSearchParams(parameters) });
  const start = (at = `${protocol}/auth/device`) => form(at, { client_id: CLIENT, scope: 'openid profile' });
  const poll = (code: string, at = `${protocol}/token`) =>
    form(at, { client_id: CLIENT, grant_type: DEVICE_CODE_GRANT, device_code: code });
  const refresh = (token: string, at = `${protocol}/token`) =>
    form(at, { client_id: CLIENT, grant_type: 'refresh_token', refresh_token: token });
  const signIn = async () => {
    const { body } = await start();
    await test.approve(body.user_code);
    return (await poll(body.device_code)).body;
  };

  it('the realm document has exactly the members that Keycloak’s has', async () => {
    const { body, status, headers } = await test.device().send(realm);
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    expect(body).toEqual({
      realm: 'corp',
      public_key: expect.any(String),
      'token-service': `${issuer}/protocol/openid-connect`,
      'account-service': `${issuer}/account`,
      'tokens-not-before': 0,
    });
  });

  it('public_key is the bare base64 of an RSA key that is in the JWKS', async () => {
    const { body } = await test.device().send(realm);
    const key = createPublicKey({
      key: Buffer.from(String(body['public_key']), 'base64'),
      format: 'der',
      type: 'spki',
    });
    expect(String(body['public_key'])).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const certs = (await test.device().send(`${protocol}/certs`)).body['keys'] as Record<string, unknown>[];
    expect(certs.map(({ n }) => n)).toContain(key.export({ format: 'jwk' }).n);
  });

  it('the discovery document is an issuer’s own: every address is below the realm', async () => {
    const { body } = await test.device().send(`${realm}/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      issuer,
      device_authorization_endpoint: `${issuer}/protocol/openid-connect/auth/device`,
      token_endpoint: `${issuer}/protocol/openid-connect/token`,
      jwks_uri: `${issuer}/protocol/openid-connect/certs`,
      userinfo_endpoint: `${issuer}/protocol/openid-connect/userinfo`,
      introspection_endpoint: `${issuer}/protocol/openid-connect/token/introspect`,
      revocation_endpoint: `${issuer}/protocol/openid-connect/revoke`,
    });
    const inserted = await test.device().send(`/.well-known/oauth-authorization-server${realm}`);
    expect(inserted.body['issuer']).toBe(issuer);
  });

  it('tokens carry the realm as iss, and the members that Keycloak’s clients read', async () => {
    const answer = await signIn();
    expect(decodeJwt(answer.access_token).iss).toBe(issuer);
    expect(decodeJwt(answer.id_token).iss).toBe(issuer);
    expect(answer).toMatchObject({ refresh_expires_in: 3600, 'not-before-policy': 0, expires_in: 300 });
    expect(answer['session_state']).toBe(decodeJwt(answer.access_token)['sid']);
    const again = await refresh(answer.refresh_token);
    expect(again.body).toMatchObject({ refresh_expires_in: 3600, 'not-before-policy': 0 });
    expect(decodeJwt(again.body.access_token).iss).toBe(issuer);
  });

  it('what was started here is redeemed and refreshed only here', async () => {
    const { body: grant } = await start();
    await test.approve(grant.user_code);
    expect((await poll(grant.device_code, '/token')).body.error).toBe('invalid_grant');
    const { body: tokens } = await poll(grant.device_code);
    expect((await refresh(tokens.refresh_token, '/token')).body.error).toBe('invalid_grant');
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('what was started elsewhere is not redeemed here', async () => {
    const { body: grant } = await start('/device_authorization');
    await test.approve(grant.user_code);
    expect((await poll(grant.device_code)).body.error).toBe('invalid_grant');
    expect((await poll(grant.device_code, '/token')).status).toBe(200);
  });

  it('userinfo and introspection know its tokens', async () => {
    const { access_token: token } = await signIn();
    const info = await test.device().send(`${protocol}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(info.body['sub']).toBe(decodeJwt(token).sub);
    const api = { authorization: `Basic ${Buffer.from('api:secret-of-the-api').toString('base64')}` };
    const known = await form(`${protocol}/token/introspect`, { token }, api);
    expect(known.body).toMatchObject({ active: true, iss: issuer });
  });

  it('logout with a refresh token is 204 and ends the session', async () => {
    const tokens = await signIn();
    const answer = await form(`${protocol}/logout`, { client_id: CLIENT, refresh_token: tokens.refresh_token });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('logout without a refresh token, or by nobody that we know, is refused in JSON', async () => {
    expect((await form(`${protocol}/logout`, { client_id: CLIENT })).body.error).toBe('invalid_request');
    const { refresh_token: token } = await signIn();
    const stranger = await form(`${protocol}/logout`, { client_id: 'nobody', refresh_token: token });
    expect([stranger.status, stranger.body.error]).toEqual([401, 'invalid_client']);
  });

  it('revocation is 200 and ends the session', async () => {
    const tokens = await signIn();
    expect((await form(`${protocol}/revoke`, { client_id: CLIENT, token: tokens.refresh_token })).status).toBe(200);
    expect((await refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('its device page is ours, with the code filled in', async () => {
    const { body } = await start();
    const page = await test.device().send(`${realm}/device?user_code=${body.user_code}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain(body.user_code);
  });

  it.each(['GET', 'POST'])('another realm is not there: %s', async (method) => {
    const answer = await test.device().send(`${realm}2`, { method });
    expect(answer.status).toBe(404);
  });
});
