import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const CLIENT = 'build-cli';
const JSON_ONLY = { accept: 'application/json' };

let test: TestBroker;
const form = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  test.device().send(path, { method: 'POST', headers, body: new URLSearchParams(parameters) });
const start = (path: string, headers: Record<string, string> = JSON_ONLY) =>
  form(path, { client_id: CLIENT, scope: 'openid' }, headers);
const poll = (path: string, code: string, more: Record<string, string> = {}, headers = JSON_ONLY) =>
  form(path, { client_id: CLIENT, grant_type: DEVICE_CODE_GRANT, device_code: code, ...more }, headers);

describe('compatibility.paths, and the ready ones', () => {
  beforeAll(async () => {
    const paths = {
      '/oauth/device': 'device_authorization',
      '/v1/token/': 'token',
      '/v1/revoke': 'revoke',
      '/v1/introspect': 'introspect',
      '/v1/me': 'userinfo',
      '/v1/keys': 'jwks',
      '/v1/openid': 'openid-configuration',
      '/v1/server': 'oauth-authorization-server',
      '/tv': 'device',
    };
    test = await createTestBroker({
      environment: { API_SECRET: 'secret-of-the-api' },
      yaml: {
        compatibility: { auth0: true, github: true, microsoft: true, paths },
        resource_servers: { api: { audience: 'https://api.example', client_secret: { env: 'API_SECRET' } } },
        clients: { [CLIENT]: { resources: ['https://api.example'] } },
      },
    });
  });
  afterAll(() => test.close());

  it.each([
    ['a free map', '/oauth/device', '/v1/token/', '/v1/revoke'],
    ['Auth0’s', '/oauth/device/code', '/oauth/token', '/oauth/revoke'],
    ['GitHub’s', '/login/device/code', '/login/oauth/access_token', '/revoke'],
    ['Microsoft’s, from our token endpoint', '/devicecode', '/token', '/revoke'],
    ['Microsoft’s, from a tenant', '/oauth2/v2.0/devicecode', '/oauth2/v2.0/token', '/revoke'],
  ])(
    '%s lead through a sign-in and a refresh, and the tokens are those of public_url',
    async (_whose, at, token, revoke) => {
      const { body: started } = await start(at);
      expect((await poll(token, started.device_code)).body.error).toBe('authorization_pending');
      await test.approve(started.user_code);
      await test.advance(5000);
      const { body: first } = await poll(token, started.device_code);
      expect(decodeJwt(first.access_token).iss).toBe(test.publicUrl);
      const again = { client_id: CLIENT, grant_type: 'refresh_token', refresh_token: first.refresh_token };
      const { body: second } = await form(token, again, JSON_ONLY);
      expect(decodeJwt(second.access_token).iss).toBe(test.publicUrl);
      expect((await form(revoke, { client_id: CLIENT, token: second.refresh_token })).status).toBe(200);
      expect((await form('/token', { ...again, refresh_token: second.refresh_token })).body.error).toBe(
        'invalid_grant',
      );
    },
  );

  it('what was started at one path is redeemed at another: there is one issuer', async () => {
    const { body: started } = await start('/oauth/device/code');
    await test.approve(started.user_code);
    expect((await poll('/v1/token', started.device_code)).status).toBe(200);
  });

  it('every name of the free map leads where it says', async () => {
    const { access_token: token } = await test.signIn();
    const bearer = { headers: { authorization: `Bearer ${token}` } };
    expect((await test.device().send('/v1/me', bearer)).body).toMatchObject({ sub: decodeJwt(token).sub });
    const asked = await form('/v1/introspect', { client_id: 'api', client_secret: 'secret-of-the-api', token });
    expect(asked.body).toMatchObject({ active: true });
    for (const [path, own] of [
      ['/v1/keys', '/jwks'],
      ['/.well-known/jwks.json', '/jwks'],
      ['/discovery/v2.0/keys', '/jwks'],
      ['/v1/openid', '/.well-known/openid-configuration'],
      ['/v1/server', '/.well-known/oauth-authorization-server'],
    ] as const) {
      const [alias, ours] = await Promise.all([path, own].map((each) => test.device().send(each)));
      expect([path, alias?.status, alias?.text]).toEqual([path, 200, ours?.text]);
    }
    for (const path of ['/tv', '/activate', '/login/device', '/devicelogin']) {
      const page = await test.device().send(`${path}?user_code=BBBB-BBBB`);
      expect([path, page.status]).toEqual([path, 200]);
      expect(page.text).toContain('value="BBBB-BBBB"');
    }
  });

  it('wrong methods are refused there as at our own', async () => {
    const answer = await test.device().send('/oauth/token', { method: 'GET' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('a DPoP proof names the path that was called', async () => {
    const dpop = await newDpopKey();
    const proof = async (path: string) => ({
      ...JSON_ONLY,
      dpop: await dpop.proof({ method: 'POST', address: test.publicUrl + path, nowMs: await test.now() }),
    });
    const { body: started } = await start('/oauth/device/code', await proof('/oauth/device/code'));
    await test.approve(started.user_code);
    const elsewhere = await poll('/oauth/token', started.device_code, {}, await proof('/token'));
    expect(elsewhere.body.error).toBe('invalid_dpop_proof');
    expect((await poll('/oauth/token', started.device_code, {}, await proof('/oauth/token'))).body['token_type']).toBe(
      'DPoP',
    );
  });

  describe('GitHub’s answers', () => {
    const at = '/login/device/code';
    const FORM_TYPE = 'application/x-www-form-urlencoded; charset=utf-8';

    it.each([undefined, '*/*', 'text/html', 'application/x-www-form-urlencoded'])(
      'are a form for Accept: %s',
      async (accept) => {
        const headers: Record<string, string> = accept === undefined ? {} : { accept };
        const answer = await start(at, headers);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, FORM_TYPE]);
        const started = new URLSearchParams(answer.text);
        expect([started.get('verification_uri'), started.get('interval')]).toEqual([`${test.publicUrl}/device`, '5']);
        const code = started.get('device_code') ?? '';
        const pending = await poll('/login/oauth/access_token', code, {}, headers as typeof JSON_ONLY);
        expect([pending.status, new URLSearchParams(pending.text).get('error')]).toEqual([
          400,
          'authorization_pending',
        ]);
        await test.approve(started.get('user_code') ?? '');
        await test.advance(5000);
        const tokens = await poll('/login/oauth/access_token', code, {}, headers as typeof JSON_ONLY);
        expect([tokens.status, tokens.headers.get('cache-control')]).toEqual([200, 'no-store']);
        expect(new URLSearchParams(tokens.text).get('token_type')).toBe('Bearer');
      },
    );

    it.each(['application/json', 'application/vnd.github+json', 'text/html, application/json;q=0.9'])(
      'are JSON for Accept: %s',
      async (accept) => {
        const answer = await start(at, { accept });
        expect(answer.headers.get('content-type')).toBe('application/json');
        expect(answer.body.user_code).toEqual(expect.any(String));
      },
    );

    it('refusals are a form too, and of other paths JSON as ever', async () => {
      const refused = await form(at, { client_id: 'nobody' }, { accept: '*/*' });
      expect([refused.status, new URLSearchParams(refused.text).get('error')]).toEqual([401, 'invalid_client']);
      const other = await form('/oauth/device/code', { client_id: 'nobody' }, { accept: '*/*' });
      expect(other.body.error).toBe('invalid_client');
    });
  });

  describe('Microsoft’s habits', () => {
    it.each(['/token', '/oauth2/v2.0/token', '/v1/token'])(
      '%s takes grant_type=device_code, and tells client_info',
      async (at) => {
        const { body: started } = await start('/devicecode');
        const more = { grant_type: 'device_code', client_info: '1' };
        expect((await poll(at, started.device_code, more)).body.error).toBe('authorization_pending');
        await test.approve(started.user_code);
        await test.advance(5000);
        const { body } = await poll(at, started.device_code, more);
        const info: unknown = JSON.parse(Buffer.from(String(body['client_info']), 'base64url').toString());
        expect(info).toEqual({ uid: decodeJwt(body.id_token).sub, utid: new URL(test.publicUrl).host });
        const again = { client_id: CLIENT, grant_type: 'refresh_token', refresh_token: body.refresh_token };
        expect((await form(at, { ...again, client_info: '1' })).body['client_info']).toBe(body['client_info']);
      },
    );

    it('nobody is told who does not ask, or has no ID token', async () => {
      const { body: started } = await form('/devicecode', { client_id: CLIENT, scope: 'packages:read' });
      await test.approve(started.user_code);
      const { body } = await poll('/token', started.device_code, { client_info: '1' });
      expect(body).not.toHaveProperty('client_info');
      expect(await test.signIn()).not.toHaveProperty('client_info');
    });
  });
});

it('with a path in public_url Microsoft’s paths are those of its tenant', async () => {
  test = await createTestBroker({
    publicUrl: 'https://login.example.com/corp/v2.0',
    yaml: { trusted_proxies: [], compatibility: { microsoft: true } },
  });
  try {
    for (const path of ['/corp/v2.0/devicecode', '/devicecode', '/corp/oauth2/v2.0/devicecode']) {
      expect([path, (await start(path)).status]).toEqual([path, 200]);
    }
  } finally {
    await test.close();
  }
});

it('nothing of it is there unless it is switched on', async () => {
  test = await createTestBroker();
  try {
    for (const path of ['/oauth/device/code', '/login/device/code', '/devicecode', '/oauth2/v2.0/devicecode']) {
      expect([path, (await start(path)).status]).toEqual([path, 404]);
    }
    const { body: started } = await start('/device_authorization');
    const draft = await poll('/token', started.device_code, { grant_type: 'device_code' });
    expect(draft.body.error).toBe('unsupported_grant_type');
  } finally {
    await test.close();
  }
});
