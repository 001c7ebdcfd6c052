import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

/**
 * What programs that verify our tokens were seen to insist on, each by its name. docs/interop.md has who takes them, and
 * with which setting.
 */
const REALM = '/realms/corp';
const PROTOCOL = `${REALM}/protocol/openid-connect`;
const API = 'https://api.example';

let test: TestBroker;
beforeAll(async () => {
  const resource = { signing_alg: 'RS256', resources: [API] };
  test = await createTestBroker({
    environment: { API_SECRET: 'secret-of-the-api' },
    yaml: {
      compatibility: { keycloak: { realm: 'corp' } },
      resource_servers: { api: { audience: API, client_secret: { env: 'API_SECRET' } } },
      clients: { tv: { name: 'TV', ...resource }, 'spring-tv': { name: 'TV', ...resource, access_token_type: 'JWT' } },
    },
  });
});
afterAll(() => test.close());

const form = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  test.device().send(path, { method: 'POST', headers, body: new URLSearchParams(parameters) });

describe('Spring Security’s decoder, Strimzi', () => {
  it('refuse at+jwt: a client’s access tokens may call themselves JWT, and are the same otherwise', async () => {
    const [usual, plain] = await Promise.all(
      ['tv', 'spring-tv'].map((clientId) => test.signIn(test.device({ clientId }))),
    );
    expect(decodeProtectedHeader(usual?.access_token ?? '').typ).toBe('at+jwt');
    expect(decodeProtectedHeader(plain?.access_token ?? '').typ).toBe('JWT');
    const claims = (token = '') => Object.keys(decodeJwt(token)).sort();
    expect(claims(plain?.access_token)).toEqual(claims(usual?.access_token));
    const keys = createRemoteJWKSet(new URL(`${test.publicUrl}/jwks`));
    await jwtVerify(plain?.access_token ?? '', keys, { issuer: test.publicUrl, audience: API, typ: 'JWT' });
  });

  it('we know such a token as ours: userinfo, introspection, refresh, revocation', async () => {
    const device = test.device({ clientId: 'spring-tv' });
    const { access_token: token, refresh_token: refresh } = await test.signIn(device);
    const introspect = () => form('/introspect', { client_id: 'api', client_secret: 'secret-of-the-api', token });
    expect((await introspect()).body).toMatchObject({ active: true, client_id: 'spring-tv' });
    const bearer = { headers: { authorization: `Bearer ${token}` } };
    expect((await device.send('/userinfo', bearer)).body).toMatchObject({ sub: decodeJwt(token).sub });
    expect(decodeProtectedHeader((await device.refresh(refresh)).body.access_token).typ).toBe('JWT');
    expect((await device.revoke(token)).status).toBe(200);
    expect((await introspect()).body).toEqual({ active: false });
  });

  it('its ID token, which is a JWT too, is still no access token (RFC 8725 §3.11)', async () => {
    const device = test.device({ clientId: 'spring-tv' });
    const { id_token: token } = await test.signIn(device);
    expect(decodeProtectedHeader(token).typ).toBe('JWT');
    expect((await device.send('/userinfo', { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
    const asked = await form('/introspect', { client_id: 'api', client_secret: 'secret-of-the-api', token });
    expect(asked.body).toEqual({ active: false });
  });
});

describe('keycloak-connect', () => {
  async function signIn(headers: () => Promise<Record<string, string>> = async () => ({})) {
    const asked = { client_id: 'tv', scope: 'openid' };
    const { body: started } = await form(`${PROTOCOL}/auth/device`, asked, await headers());
    await test.approve(started.user_code);
    const grant = { client_id: 'tv', grant_type: DEVICE_CODE_GRANT, device_code: started.device_code };
    return (await form(`${PROTOCOL}/token`, grant, await headers())).body;
  }

  it('wants typ Bearer in the payload, azp, and the realm as issuer: at the sign-in and after a refresh', async () => {
    const first = await signIn();
    const again = { client_id: 'tv', grant_type: 'refresh_token', refresh_token: first.refresh_token };
    const { body: second } = await form(`${PROTOCOL}/token`, again);
    for (const { access_token: token } of [first, second]) {
      expect(decodeJwt(token)).toMatchObject({ iss: test.publicUrl + REALM, typ: 'Bearer', azp: 'tv' });
    }
  });

  it('as Keycloak says it, typ is DPoP for a token that is bound to a key', async () => {
    const dpop = await newDpopKey();
    const addresses = [`${PROTOCOL}/auth/device`, `${PROTOCOL}/token`];
    const { access_token: token } = await signIn(async () => {
      const address = `${test.publicUrl}${addresses.shift()}`;
      return { dpop: await dpop.proof({ method: 'POST', address, nowMs: await test.now() }) };
    });
    expect(decodeJwt(token)).toMatchObject({ typ: 'DPoP', azp: 'tv' });
  });

  it('tokens of our own issuer have neither: they are RFC 9068’s alone', async () => {
    const { access_token: token } = await test.signIn(test.device({ clientId: 'tv' }));
    expect(decodeJwt(token)).not.toHaveProperty('typ');
    expect(decodeJwt(token)).not.toHaveProperty('azp');
  });
});
