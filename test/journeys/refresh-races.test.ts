import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableMemory, movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';

const SECOND = 1000;

/** Status, refresh token and claims: ES256 signs the same token differently each time, and `expires_in` counts down. */
function tokensOf(answer: DeviceAnswer | undefined): string {
  const { access_token: token, refresh_token, error } = answer?.body ?? ({} as DeviceAnswer['body']);
  return JSON.stringify([answer?.status, error, refresh_token, token === undefined ? undefined : decodeJwt(token)]);
}

let redis: Awaited<ReturnType<typeof redisForTests>>;
beforeAll(async () => {
  redis = await redisForTests();
});
afterAll(() => redis.stop());

describe.each([
  ['Redis, two replicas', () => movableRedis(redis.settings())],
  ['memory', () => movableMemory()],
])('refreshes that race: %s', (_where, open) => {
  let store: TestStore;
  let first: TestBroker;
  let second: TestBroker;
  beforeEach(async () => {
    store = await open();
    const environment = { SEALING_KEY: randomBytes(32).toString('base64url') };
    first = await createTestBroker({ store, environment });
    const { publicUrl, upstream } = first;
    second = await createTestBroker({ store, environment, publicUrl, upstream, onReplica: true });
  });
  afterEach(async () => {
    await second.close();
    await first.close();
    await store.close();
  });

  const upstreamRefreshes = () =>
    first.upstream.requestsTo('/token').filter(({ form }) => form.get('grant_type') === 'refresh_token').length;
  const atOnce = (count: number, ask: (broker: TestBroker) => Promise<DeviceAnswer>) =>
    Promise.all(Array.from({ length: count }, (_, index) => ask(index % 2 === 0 ? first : second)));

  it('200 at once with one token: one successor, one upstream refresh, the same tokens for all', async () => {
    const { refresh_token: token } = await first.signIn();
    const answers = await atOnce(200, (broker) => broker.device().refresh(token));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(tokensOf)).size).toBe(1);
    expect(upstreamRefreshes()).toBe(1);
    const next = answers[0]?.body.refresh_token ?? '';
    const followers = await atOnce(50, (broker) => broker.device().refresh(next));
    expect(new Set(followers.map(tokensOf)).size).toBe(1);
    expect(upstreamRefreshes()).toBe(2);
  });

  it('while the upstream takes its time, the others wait for the one answer', async () => {
    const { refresh_token: token } = await first.signIn();
    first.upstream.behaviour = { refresh: { trouble: 'slow' }, slowMs: 1500 };
    const answers = await atOnce(20, (broker) => broker.device().refresh(token));
    expect(new Set(answers.map(tokensOf)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(upstreamRefreshes()).toBe(1);
  });

  it('where it takes longer than the others wait, these get 503 and the token is still good', async () => {
    const { refresh_token: token } = await first.signIn();
    first.upstream.behaviour = { refresh: { trouble: 'slow' }, slowMs: 7000 };
    const answers = await atOnce(4, (broker) => broker.device().refresh(token));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 503, 503, 503]);
    expect(answers.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('5');
    const again = await second.device().refresh(token);
    expect(tokensOf(again)).toBe(tokensOf(answers.find(({ status }) => status === 200)));
    expect(upstreamRefreshes()).toBe(1);
  });

  it('an old token at both replicas at once ends the session once, and the upstream is told once', async () => {
    const { refresh_token: token } = await first.signIn();
    const { body: next } = await first.device().refresh(token);
    await first.advance(31 * SECOND);
    const answers = await atOnce(20, (broker) => broker.device().refresh(token));
    expect(new Set(answers.map(({ body }) => body.error))).toEqual(new Set(['invalid_grant']));
    expect((await second.device().refresh(next.refresh_token)).body.error).toBe('invalid_grant');
    expect(first.upstream.revoked).toHaveLength(1);
    const ended = [first, second].flatMap(({ lines }) => lines.filter(({ event }) => event === 'session.ended'));
    expect(ended).toHaveLength(1);
  });

  it('a refresh against a revocation: whatever came first, nothing works afterwards', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { refresh_token: token } = await first.signIn();
      first.upstream.behaviour = { refresh: { trouble: 'slow' }, slowMs: 5 };
      const [refreshed, revoked] = await Promise.all([
        first.device().refresh(token),
        delay(round).then(() => second.device().revoke(token)),
      ]);
      expect(revoked.status).toBe(200);
      const after = refreshed.status === 200 ? refreshed.body.refresh_token : token;
      expect((await second.device().refresh(after)).body.error).toBe('invalid_grant');
      expect((await second.device().refresh(token)).body.error).toBe('invalid_grant');
    }
  });

  it('a chain that two replicas serve in turn never branches', async () => {
    let { refresh_token: token } = await first.signIn();
    for (let turn = 0; turn < 20; turn += 1) {
      const [one, two] = await atOnce(2, (broker) => broker.device().refresh(token));
      expect(tokensOf(two)).toBe(tokensOf(one));
      token = one?.body.refresh_token ?? '';
    }
    expect(upstreamRefreshes()).toBe(20);
  });

  it('redelivery: 100 polls at once after the approval, and all get the same tokens', async () => {
    first.reload({ clients: { 'build-cli': { redelivery: '30s' } } });
    second.reload({ clients: { 'build-cli': { redelivery: '30s' } } });
    const { body } = await first.device().start();
    await first.approve(body.user_code);
    const answers = await atOnce(100, (broker) => broker.device().poll(body.device_code));
    expect(new Set(answers.map(tokensOf)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(tokensOf(await second.device().poll(body.device_code))).toBe(tokensOf(answers[0]));
  });
});
