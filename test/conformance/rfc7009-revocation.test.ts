import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

describe('RFC 7009: token revocation', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({
      yaml: {
        clients: {
          other: { name: 'Other' },
          confidential: { name: 'Confidential', client_secret: { env: 'SECRET' } },
        },
        resource_servers: { packages: { audience: 'https://packages.example.com', client_secret: { env: 'SECRET' } } },
      },
      environment: { SECRET: 'a-long-enough-secret-for-tests' },
    });
  });
  afterEach(() => test.close());

  it('§2: a refresh token takes the whole device session with it, at the upstream too', async () => {
    const device = test.device();
    const tokens = await test.signIn(device);
    const upstreamToken = test.upstream.requestsTo('/revoke').length;
    expect(upstreamToken).toBe(0);
    const revoked = await device.revoke(tokens.refresh_token);
    expect([revoked.status, revoked.text]).toEqual([200, '']);
    expect(await device.refresh(tokens.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await userinfo(tokens.access_token)).status).toBe(401);
    expect(test.upstream.revoked).toHaveLength(1);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'client' }));
  });

  it('a refresh token that was used before still names its family', async () => {
    const device = test.device();
    const first = await test.signIn(device);
    const second = (await device.refresh(first.refresh_token)).body;
    await device.revoke(first.refresh_token);
    expect((await device.refresh(second.refresh_token)).body.error).toBe('invalid_grant');
    expect(test.upstream.revoked).toHaveLength(1);
  });

  it('costs the same for every token of the chain, and of an ended session next to nothing', async () => {
    const device = test.device();
    let { refresh_token: token } = await test.signIn(device);
    const chain = [token];
    for (let turn = 0; turn < 12; turn += 1) {
      token = (await device.refresh(token)).body.refresh_token;
      chain.push(token);
    }
    const calls = async (brought: string) => {
      const before = await storageCalls();
      expect((await device.revoke(brought)).status).toBe(200);
      return (await storageCalls()) - before;
    };
    expect(await calls(chain[0] ?? '')).toBeLessThanOrEqual(5);
    expect((await device.refresh(token)).body.error).toBe('invalid_grant');
    for (const spent of [chain[0], chain[6], token]) expect(await calls(spent ?? '')).toBeLessThanOrEqual(4);
  });

  it('§2.1: an access token ends the device session too', async () => {
    const device = test.device();
    const tokens = await test.signIn(device);
    expect((await device.revoke(tokens.access_token)).status).toBe(200);
    expect((await userinfo(tokens.access_token)).status).toBe(401);
    expect((await device.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  it.each(['refresh_token', 'access_token'])("another client's %s stays as it is", async (kind) => {
    const tokens = await test.signIn();
    const revoked = await test.device({ clientId: 'other' }).revoke(String(tokens[kind]));
    expect([revoked.status, revoked.text]).toEqual([200, '']);
    expect((await userinfo(tokens.access_token)).status).toBe(200);
    expect((await test.device().refresh(tokens.refresh_token)).status).toBe(200);
  });

  it.each([
    ['nothing of ours', () => 'abc'],
    ['a token of the right form', () => Buffer.alloc(52, 7).toString('base64url')],
    ['a JWT of somebody else', () => 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA'],
  ])('§2.2: %s is revoked already: 200', async (_what, token) => {
    expect((await test.device().revoke(token())).status).toBe(200);
  });

  it('the id of a session and a made-up secret end nothing', async () => {
    const tokens = await test.signIn();
    const made = Buffer.from(tokens.refresh_token, 'base64url');
    made.fill(9, 20);
    expect((await test.device().revoke(made.toString('base64url'))).status).toBe(200);
    expect((await test.device().refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('§2.1: a wrong or unknown token_type_hint changes nothing', async () => {
    for (const hint of ['access_token', 'refresh_token', 'pet_name']) {
      const tokens = await test.signIn();
      await test.device().revoke(tokens.refresh_token, { token_type_hint: hint });
      expect((await test.device().refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    }
  });

  it('a client with credentials must prove itself', async () => {
    const device = test.device({ clientId: 'confidential', secret: 'a-long-enough-secret-for-tests' });
    const tokens = await test.signIn(device);
    const unproven = await test.device({ clientId: 'confidential' }).revoke(tokens.refresh_token);
    expect(unproven).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await device.refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('without a token: invalid_request; by GET: 405', async () => {
    expect(await test.device().post('/revoke', {})).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const got = await test.device().send('/revoke');
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is in the metadata', async () => {
    const { body } = await test.device().send('/.well-known/oauth-authorization-server');
    expect(body).toMatchObject({
      revocation_endpoint: `${test.publicUrl}/revoke`,
      revocation_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'client_secret_basic']),
    });
  });

  function userinfo(accessToken: string) {
    return test.device().send('/userinfo', { headers: { authorization: `Bearer ${accessToken}` } });
  }

  /** Every verb of the storage that was called so far. */
  async function storageCalls(): Promise<number> {
    const { body } = await test.broker.processContext.metrics.text();
    const counts = [...body.matchAll(/^gatehouse_storage_seconds_count\{[^}]*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }
});
