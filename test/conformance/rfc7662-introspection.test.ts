import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { TestDevice } from '../support/broker/test-device.ts';

const SECRET = 'a-long-enough-secret-for-tests';
const PACKAGES = 'https://packages.example.com';
const BILLING = 'https://billing.example.com';
const CONFIDENTIAL = { name: 'Confidential', client_secret: { env: 'SECRET' }, resources: [PACKAGES] };

describe('RFC 7662: token introspection', () => {
  let test: TestBroker;
  let packages: TestDevice;
  let billing: TestDevice;
  beforeEach(async () => {
    test = await createTestBroker({
      yaml: {
        clients: {
          'build-cli': { name: 'Build CLI', signing_alg: 'ES256', resources: [PACKAGES, BILLING] },
          confidential: CONFIDENTIAL,
        },
        resource_servers: {
          packages: { audience: PACKAGES, client_secret: { env: 'SECRET' } },
          respelled: { audience: 'HTTPS://Packages.example.com:443/', client_secret: { env: 'SECRET' } },
          billing: { audience: BILLING, client_secret: { env: 'SECRET' } },
        },
      },
      environment: { SECRET },
    });
    packages = test.device({ clientId: 'packages', secret: SECRET });
    billing = test.device({ clientId: 'billing', secret: SECRET });
  });
  afterEach(() => test.close());

  it('§2.2: a resource server sees what the token for its audience says', async () => {
    const tokens = await test.signIn();
    const answer = await packages.introspect(tokens.access_token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(tokens.access_token) });
    expect(answer.body).toMatchObject({ client_id: 'build-cli', scope: 'openid', aud: PACKAGES, sub: 'corp|alice' });
  });

  it('its audience may be spelled in another way than the client’s resource (RFC 3986 §6.2)', async () => {
    const tokens = await test.signIn();
    const respelled = test.device({ clientId: 'respelled', secret: SECRET });
    expect((await respelled.introspect(tokens.access_token)).body).toMatchObject({ active: true, aud: PACKAGES });
  });

  it('its secret may come in the body', async () => {
    const tokens = await test.signIn();
    const inBody = test.device({ clientId: 'packages', credentials: () => ({ client_secret: SECRET }) });
    expect((await inBody.introspect(tokens.access_token)).body['active']).toBe(true);
  });

  const inactive = '{"active":false}';

  it("§2.2, §4: another audience's token is inactive, and nothing else is said", async () => {
    const tokens = await test.signIn();
    expect((await billing.introspect(tokens.access_token)).text).toBe(inactive);
    const both = await test.signIn(test.device(), { start: {}, poll: {} });
    expect((await packages.introspect(both.refresh_token)).text).toBe(inactive);
  });

  it('a token for two audiences is active to both', async () => {
    const device = test.device();
    const started = await device.start({ resource: [PACKAGES, BILLING] });
    await test.approve(started.body.user_code);
    const { access_token: token } = (await device.poll(started.body.device_code)).body;
    for (const server of [packages, billing]) expect((await server.introspect(token)).body['active']).toBe(true);
  });

  it('a client sees its own tokens, and not those of others', async () => {
    const confidential = test.device({ clientId: 'confidential', secret: SECRET });
    const own = await test.signIn(confidential);
    expect((await confidential.introspect(own.access_token)).body).toMatchObject({ active: true });
    expect((await confidential.introspect(own.refresh_token)).body).toMatchObject({
      active: true,
      client_id: 'confidential',
      sub: 'corp|alice',
      scope: 'openid',
    });
    const foreign = await test.signIn();
    expect((await confidential.introspect(foreign.access_token)).text).toBe(inactive);
    expect((await confidential.introspect(foreign.refresh_token)).text).toBe(inactive);
  });

  it('a refresh token that was exchanged is inactive', async () => {
    const confidential = test.device({ clientId: 'confidential', secret: SECRET });
    const own = await test.signIn(confidential);
    await confidential.refresh(own.refresh_token);
    expect((await confidential.introspect(own.refresh_token)).text).toBe(inactive);
  });

  it.each([
    ['nothing', 'abc'],
    ['a broken JWT', 'a.b.c'],
    ['an unsigned JWT', 'eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.'],
    ['something long', 'x'.repeat(6000)],
  ])('%s is inactive', async (_what, token) => {
    expect((await packages.introspect(token)).text).toBe(inactive);
  });

  it('an ID token is no access token', async () => {
    const tokens = await test.signIn();
    expect((await packages.introspect(tokens.id_token)).text).toBe(inactive);
  });

  it('a token is inactive from its expiry on', async () => {
    const tokens = await test.signIn();
    await test.advance(10 * 60 * 1000 + 1000);
    expect((await packages.introspect(tokens.access_token)).text).toBe(inactive);
  });

  it('all tokens of a session that has ended are inactive at once', async () => {
    const tokens = await test.signIn();
    await test.device().revoke(tokens.refresh_token);
    expect((await packages.introspect(tokens.access_token)).text).toBe(inactive);
  });

  it.each([
    { mark: 'all' } as const,
    { mark: 'client', clientId: 'build-cli' } as const,
    { mark: 'upstream', upstream: 'corp' } as const,
    { mark: 'subject', upstream: 'corp', subject: 'alice' } as const,
    { mark: 'source', prefix: '127.0.0.1/32' } as const,
    { mark: 'source', prefix: '127.0.0.0/24' } as const,
    { mark: 'logout_sid', upstream: 'corp', sid: 'upstream-session-1' } as const,
    { mark: 'logout_subject', upstream: 'corp', sub: 'alice' } as const,
  ])('the mark $mark makes earlier sign-ins inactive, and later ones not', async (mark) => {
    const { storage, sealing } = test.broker.processContext;
    const before = await test.signIn();
    await test.advance(1000);
    const nowMs = await test.now();
    await setMark({ ledger: storage.ledger, sealing }, mark, nowMs, nowMs + 60_000);
    expect((await packages.introspect(before.access_token)).text).toBe(inactive);
    await test.advance(1000);
    const after = await test.signIn();
    expect((await packages.introspect(after.access_token)).body['active']).toBe(true);
  });

  it("a removed client's tokens are inactive at once", async () => {
    const tokens = await test.signIn();
    test.reload({
      clients: { 'build-cli': null as never, confidential: CONFIDENTIAL },
      resource_servers: { packages: { audience: PACKAGES, client_secret: { env: 'SECRET' } } },
    });
    expect((await packages.introspect(tokens.access_token)).text).toBe(inactive);
  });

  describe('§2.1: who asks must prove to be somebody', () => {
    it.each([
      ['a wrong secret', { clientId: 'packages', secret: 'wrong' }, 401, 'invalid_client'],
      ['an unknown resource server', { clientId: 'nobody', secret: SECRET }, 401, 'invalid_client'],
      ['no secret', { clientId: 'packages' }, 401, 'invalid_client'],
      ['a public client', { clientId: 'build-cli' }, 401, 'invalid_client'],
    ])('%s', async (_what, identity, status, error) => {
      const tokens = await test.signIn();
      expect(await test.device(identity).introspect(tokens.access_token)).toMatchObject({ status, body: { error } });
    });

    it('where Basic was tried the answer says so', async () => {
      const answer = await test.device({ clientId: 'packages', secret: 'wrong' }).introspect('x');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    });

    it('a resource server is no client of the other endpoints', async () => {
      expect((await packages.start()).status).toBe(401);
      expect((await packages.revoke('x')).status).toBe(401);
    });
  });

  it('without a token: invalid_request; by GET: 405', async () => {
    expect(await packages.post('/introspect', {})).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect((await packages.send('/introspect')).status).toBe(405);
  });

  it('a token that is bound to a DPoP key says to which (RFC 9449 §6.2)', async () => {
    const { newDpopKey } = await import('../support/broker/dpop-key.ts');
    const dpop = await newDpopKey();
    const tokens = await test.signIn(test.device({ dpop }));
    expect((await packages.introspect(tokens.access_token)).body).toMatchObject({
      token_type: 'DPoP',
      cnf: { jkt: dpop.jkt },
    });
  });

  it('is in the metadata, without `none`', async () => {
    const { body } = await test.device().send('/.well-known/oauth-authorization-server');
    expect(body['introspection_endpoint']).toBe(`${test.publicUrl}/introspect`);
    const methods = body['introspection_endpoint_auth_methods_supported'];
    expect(methods).toEqual(expect.arrayContaining(['client_secret_basic', 'client_secret_post']));
    expect(methods).not.toContain('none');
  });
});
