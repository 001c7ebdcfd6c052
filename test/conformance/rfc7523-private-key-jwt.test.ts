import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ASSERTION_TYPE, type AssertionFacts, type ClientKey, newClientKey } from '../support/broker/client-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';

const MINUTE = 60 * 1000;

describe('RFC 7523 and its successor: clients that authenticate by private_key_jwt', () => {
  let test: TestBroker;
  let key: ClientKey;
  let device: TestDevice;
  beforeEach(async () => {
    key = await newClientKey();
    const jwks = { keys: [key.jwk] };
    test = await createTestBroker({
      yaml: { clients: { robot: { jwks }, twin: { jwks }, secretive: { client_secret: { env: 'SECRET' } } } },
      environment: { SECRET: 'a-long-enough-secret-for-tests' },
    });
    device = test.device({ clientId: 'robot', credentials: () => credentials() });
  });
  afterEach(() => test.close());

  async function credentials(changes: Partial<AssertionFacts> = {}) {
    const usual = { clientId: 'robot', audience: test.publicUrl, nowMs: await test.now() };
    return {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await key.assertion({ ...usual, ...changes }),
    };
  }

  async function startWith(changes: Partial<AssertionFacts>): Promise<DeviceAnswer> {
    return test.device({ clientId: 'robot', credentials: () => credentials(changes) }).start();
  }

  it('§2.2: at every endpoint, each time with a new assertion', async () => {
    const tokens = await test.signIn(device);
    const refreshed = await device.refresh(tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect((await device.introspect(refreshed.body.access_token)).body['active']).toBe(true);
    expect((await device.revoke(refreshed.body.refresh_token)).status).toBe(200);
    expect((await device.refresh(refreshed.body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('§2.2: client_id may be left out, since the assertion says it', async () => {
    const answer = await test.device().send('/device_authorization', {
      method: 'POST',
      body: new URLSearchParams(await credentials()),
    });
    expect(answer.status).toBe(200);
  });

  it.each(['RS256', 'PS256', 'EdDSA'])('a key for %s does', async (alg) => {
    key = await newClientKey(alg);
    test.reload({ clients: { robot: { jwks: { keys: [key.jwk] } } } });
    expect((await device.start()).status).toBe(200);
  });

  // What Web Crypto thinks of them is for nobody to hear, least of all as a 500.
  it.each([
    ['an operation that nobody knows', { key_ops: ['verify', 'x'] }],
    ['only the other operation', { key_ops: ['sign'] }],
    ['operations that are no list', { key_ops: 'verify' }],
    ['a mark that it cannot be exported', { ext: false }],
    ['a certificate that is none', { x5c: ['x'] }],
  ])('a key with %s does', async (_what, members) => {
    test.reload({ clients: { robot: { jwks: { keys: [{ ...key.jwk, ...members }] } } } });
    expect((await device.start()).status).toBe(200);
  });

  it.each<[string, Partial<AssertionFacts>]>([
    ['typ JWT, as the first version has it', { header: { typ: 'JWT' } }],
    ['no typ', { header: { typ: undefined } }],
    ['no kid', { header: { kid: undefined } }],
    ['an exp in five minutes', { claims: { exp: Math.floor(Date.now() / 1000) + 300 } }],
  ])('%s does', async (_what, changes) => {
    expect((await startWith(changes)).status).toBe(200);
  });

  describe('§3: everything else is invalid_client, without saying why', () => {
    it.each<[string, (base: string) => Partial<AssertionFacts>]>([
      ['the audience is the endpoint', (base) => ({ audience: `${base}/token` })],
      ['the audience is a list, even of our issuer alone', (base) => ({ audience: [base] })],
      ['there is another audience beside ours', (base) => ({ audience: [base, 'https://other.example'] })],
      ['the audience is somebody else', () => ({ audience: 'https://other.example' })],
      ['iss is not the client', () => ({ claims: { iss: 'twin' } })],
      ['sub is not the client', () => ({ claims: { sub: 'twin' } })],
      ['there is no exp', () => ({ claims: { exp: undefined } as never })],
      ['there is no jti', () => ({ claims: { jti: undefined } as never })],
      ['it has expired', () => ({ nowMs: Date.now() - 5 * MINUTE })],
      ['it lives for an hour', () => ({ claims: { exp: Math.floor(Date.now() / 1000) + 3600 } })],
      ['it is not valid yet', () => ({ claims: { nbf: Math.floor(Date.now() / 1000) + 300 } })],
      ['its typ is that of an access token', () => ({ header: { typ: 'at+jwt' } })],
    ])('%s', async (_what, changes) => {
      const answer = await startWith(changes(test.publicUrl));
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(answer.text).toBe((await test.device({ clientId: 'nobody' }).start()).text);
    });

    it('another key signed it', async () => {
      const other = await newClientKey();
      const assertion = await other.assertion({ clientId: 'robot', audience: test.publicUrl });
      const answer = await test.device({ clientId: 'robot' }).start({
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
      });
      expect(answer.status).toBe(401);
    });

    it('it is signed with a secret (HS256), be it the public key as text', async () => {
      for (const secret of ['a-long-enough-secret-for-tests', JSON.stringify(key.jwk)]) {
        const assertion = await new SignJWT({ jti: 'x', iss: 'robot', sub: 'robot', aud: test.publicUrl })
          .setProtectedHeader({ alg: 'HS256' })
          .setExpirationTime('1m')
          .sign(Buffer.from(secret));
        const answer = await test.device({ clientId: 'robot' }).start({
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: assertion,
        });
        expect(answer.status).toBe(401);
      }
    });

    it('it was used before, also at another endpoint', async () => {
      const used = await credentials();
      const replay = test.device({ clientId: 'robot', credentials: () => used });
      expect((await replay.start()).status).toBe(200);
      expect((await replay.start()).status).toBe(401);
      expect((await replay.revoke('x')).status).toBe(401);
    });

    it('the jti of one client says nothing about another’s', async () => {
      const jti = 'the-same';
      expect((await startWith({ claims: { jti } })).status).toBe(200);
      const twin = test.device({
        clientId: 'twin',
        credentials: () => credentials({ clientId: 'twin', claims: { jti } }),
      });
      expect((await twin.start()).status).toBe(200);
    });

    it('client_id names another client', async () => {
      const answer = await test.device({ clientId: 'twin', credentials: () => credentials() }).start();
      expect(answer.status).toBe(401);
    });

    it('the client authenticates in another way', async () => {
      const claimsSecretive = () => credentials({ clientId: 'secretive' });
      const answer = await test.device({ clientId: 'secretive', credentials: claimsSecretive }).start();
      expect(answer.status).toBe(401);
      expect((await test.device({ clientId: 'robot' }).start()).status).toBe(401);
      expect((await test.device({ clientId: 'robot', secret: 'x' }).start()).status).toBe(401);
    });
  });

  it('an unknown client_assertion_type, and two ways at once: invalid_request', async () => {
    const other = { ...(await credentials()), client_assertion_type: 'urn:other' };
    const answer = await test.device({ clientId: 'robot', credentials: () => other }).start();
    expect(answer.body.error).toBe('invalid_request');
    const both = await test.device({ clientId: 'robot', secret: 'x', credentials: () => credentials() }).start();
    expect(both.body.error).toBe('invalid_request');
  });

  it('the metadata says so', async () => {
    const { body } = await device.send('/.well-known/oauth-authorization-server');
    expect(body['token_endpoint_auth_methods_supported']).toContain('private_key_jwt');
    expect(body['token_endpoint_auth_signing_alg_values_supported']).toEqual(
      expect.arrayContaining(['ES256', 'RS256']),
    );
    expect(body['introspection_endpoint_auth_methods_supported']).toContain('private_key_jwt');
    expect(body['revocation_endpoint_auth_methods_supported']).toContain('private_key_jwt');
  });
});
