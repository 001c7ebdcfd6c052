import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVICE_CLIENTS, DEVICE_SECRETS } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

describe('RFC 8414, authorization server metadata', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: DEVICE_CLIENTS, environment: DEVICE_SECRETS });
  });
  afterAll(() => test.close());

  const get = async (path: string, init: RequestInit = {}) => test.device().send(path, init);

  it('§2: issuer is exactly public_url, https or loopback, without query and fragment', async () => {
    for (const path of [OAUTH, OPENID]) {
      const { body } = await get(path);
      expect(body['issuer']).toBe(test.publicUrl);
      const { search, hash } = new URL(String(body['issuer']));
      expect([search, hash]).toEqual(['', '']);
    }
  });

  it('§2: every endpoint that is named is there, below public_url', async () => {
    const { body } = await get(OAUTH);
    const named = Object.entries(body).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name));
    expect(named.map(([name]) => name)).toEqual(
      expect.arrayContaining(['device_authorization_endpoint', 'token_endpoint', 'jwks_uri']),
    );
    for (const [name, address] of named) {
      expect(String(address)).toMatch(new RegExp(`^${test.publicUrl}/`));
      const answer = await fetch(String(address), { method: 'OPTIONS' });
      expect([name, answer.status]).toEqual([name, 204]);
    }
  });

  it('§2: what is supported', async () => {
    const { body } = await get(OAUTH);
    expect(body).toMatchObject({
      device_authorization_endpoint: `${test.publicUrl}/device_authorization`,
      token_endpoint: `${test.publicUrl}/token`,
      jwks_uri: `${test.publicUrl}/jwks`,
      grant_types_supported: expect.arrayContaining([DEVICE_CODE_GRANT, 'refresh_token']),
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'none',
        'client_secret_basic',
        'client_secret_post',
      ]),
      code_challenge_methods_supported: ['S256'],
      scopes_supported: expect.arrayContaining(['openid', 'packages:read']),
    });
  });

  it('§3.2: lists without elements are left out; so is response_types_supported, since there is no such endpoint', async () => {
    const { body } = await get(OAUTH);
    expect(Object.values(body).filter((value) => Array.isArray(value) && value.length === 0)).toEqual([]);
    expect(body).not.toHaveProperty('response_types_supported');
    expect(body).not.toHaveProperty('authorization_endpoint');
  });

  it('OpenID Connect Discovery §3: the other document has what clients refuse it without', async () => {
    const { body } = await get(OPENID);
    expect(body).toMatchObject({
      authorization_endpoint: `${test.publicUrl}/device`,
      response_types_supported: ['none'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      request_uri_parameter_supported: false,
    });
  });

  it.each([OAUTH, OPENID, '/jwks'])(
    '§3.2: %s is JSON and may be kept for five minutes; HEAD says the same without a body; POST gets 405',
    async (path) => {
      const got = await get(path);
      expect([got.status, got.headers.get('content-type')]).toEqual([200, 'application/json']);
      const head = await get(path, { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([200, '']);
      expect(head.headers.get('content-length')).toBe(got.headers.get('content-length'));
      for (const { headers } of [got, head]) expect(headers.get('cache-control')).toBe('public, max-age=300');
      const posted = await get(path, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
      expect(posted.headers.get('cache-control')).toBe('no-store');
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect(posted.body.error).toBe('invalid_request');
    },
  );

  it('RFC 7517 §5: the keys are public halves with kid, alg and use', async () => {
    const { body } = await get('/jwks');
    const keys = body['keys'] as Record<string, unknown>[];
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), alg: expect.any(String), use: 'sig' });
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
    }
  });

  describe('CORS, for devices whose apps are web pages', () => {
    const client = { clientId: 'web/app+1' };
    const origin = 'https://tv.example';

    it.each(['/device_authorization', '/token', '/jwks', OAUTH, OPENID])('%s answers a preflight', async (path) => {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      };
      const answer = await get(path, { method: 'OPTIONS', headers });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-methods')).toMatch(/POST|GET/);
      expect(answer.headers.get('access-control-allow-headers')).toMatch(/content-type/i);
      expect(answer.headers.get('vary')).toMatch(/origin/i);
    });

    it.each(['https://evil.example', 'null', 'https://tv.example.evil.example', 'http://tv.example'])(
      'a preflight from %s is not allowed',
      async (other) => {
        const answer = await get('/token', { method: 'OPTIONS', headers: { origin: other } });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      },
    );

    it('answers are readable for the origins of the client that asked, errors too', async () => {
      const web = test.device(client);
      for (const answer of [
        await web.start({}, { origin }),
        await web.poll('x', {}, { origin }),
        await web.start({ scope: 'no' }, { origin }),
      ]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      }
    });

    it('… and for no other client', async () => {
      const answer = await test.device({ clientId: 'tv' }).start({}, { origin });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    });

    it('documents are readable for every origin that some client has', async () => {
      for (const path of [OAUTH, OPENID, '/jwks']) {
        expect((await get(path, { headers: { origin } })).headers.get('access-control-allow-origin')).toBe(origin);
      }
    });

    it.each(['/device', '/device/confirm', '/sessions'])('the page %s has none', async (path) => {
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await get(path, { method, headers: { origin } });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    });
  });
});
