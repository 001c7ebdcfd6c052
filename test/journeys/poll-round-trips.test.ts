import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { basic } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';

const SECRET = 'robot secret+with/signs%41&é';
const HOME = '203.0.113.7';
const ELSEWHERE = '198.51.100.20';

describe('a poll, over a Redis that is far away', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let test: TestBroker;
  /** Another process, which has seen nothing of what was sent to the first. */
  let replica: TestBroker;
  beforeAll(async () => {
    redis = await startRedisServer();
    proxy = await tcpProxy(redis.port, { delayMs: 20 });
    const settings = { at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' };
    const [storage, other] = [redisStorage(settings), redisStorage(settings)];
    await Promise.all([storage.open(), other.open()]);
    const close = async () => {
      await Promise.all([storage.close(), other.close()]);
    };
    const store = { storage, replica: other, advance: async () => undefined, close };
    const options = {
      store,
      environment: { SECRET, SEALING_KEY: randomBytes(32).toString('base64url') },
      yaml: {
        trusted_proxies: ['127.0.0.1/32'],
        clients: {
          robot: { client_secret: { env: 'SECRET' } },
          twin: { client_secret: { env: 'SECRET' } },
        },
      },
    };
    test = await createTestBroker(options);
    replica = await createTestBroker({
      ...options,
      onReplica: true,
      publicUrl: test.publicUrl,
      upstream: test.upstream,
    });
    // Redis is told each script once.
    await started('robot').then(({ device_code: code }) =>
      send(test, '/token', { ...pollOf(code), client_id: 'robot', client_secret: SECRET }),
    );
  });
  afterAll(async () => {
    await replica.close();
    await test.close();
    await test.store.close();
    await proxy.close();
    await redis.stop();
  });

  const send = (at: TestBroker, path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    at.device().send(path, {
      method: 'POST',
      headers: { 'x-forwarded-for': HOME, ...headers },
      body: new URLSearchParams(form),
    });
  const started = async (client: string, form: Record<string, string> = { client_secret: SECRET }) =>
    (await send(test, '/device_authorization', { client_id: client, ...form })).body;
  const pollOf = (deviceCode: string) => ({ grant_type: DEVICE_CODE_GRANT, device_code: deviceCode });
  async function costOf(poll: () => Promise<{ body: { error?: unknown } }>) {
    const before = proxy.roundTrips();
    expect((await poll()).body.error).toBe('authorization_pending');
    return proxy.roundTrips() - before;
  }

  it('of a public client is one round trip', async () => {
    const { device_code: code } = await started('build-cli', {});
    expect(await costOf(() => send(test, '/token', { ...pollOf(code), client_id: 'build-cli' }))).toBe(1);
  });

  it('of a client with a secret is one round trip too, in both ways of sending it', async () => {
    const codes = [(await started('robot')).device_code, (await started('robot')).device_code];
    const form = { ...pollOf(codes[0] ?? ''), client_id: 'robot', client_secret: SECRET };
    expect(await costOf(() => send(test, '/token', form))).toBe(1);
    const headers = { authorization: basic('robot', SECRET) };
    expect(await costOf(() => send(test, '/token', pollOf(codes[1] ?? ''), headers))).toBe(1);
  });

  it('with the right secret beyond the budget is refused at every replica, and has no effect', async () => {
    const { device_code: code, user_code: userCode } = await started('twin');
    await test.approve(userCode);
    for (let n = 0; n < 21; n += 1) {
      await send(test, '/token', { ...pollOf(code), client_id: 'twin', client_secret: `guess-number-${n}` });
    }
    const form = { ...pollOf(code), client_id: 'twin', client_secret: SECRET };
    for (const at of [replica, test, replica]) {
      const answers = [
        await send(at, '/token', form),
        // What is wrong with the rest of the request would say as well that the secret is right.
        await send(at, '/token', form, { dpop: 'no.proof.atall' }),
        await send(at, '/token', { ...form, device_code: 'x'.repeat(200) }),
        await send(at, '/token', { ...form, grant_type: 'refresh_token', refresh_token: 'x' }),
        await send(at, '/token', { ...form, grant_type: 'password' }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([429, 429, 429, 429, 429]);
    }
    const elsewhere = await send(replica, '/token', form, { 'x-forwarded-for': ELSEWHERE });
    expect(elsewhere.status).toBe(200);
  });
});
