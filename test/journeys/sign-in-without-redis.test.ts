import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide, ScriptedPerson } from '../../demo/scripted-person.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

/** Design §2.4: a request waits up to 3 s for the storage, then it is 503 with Retry-After, and nothing is lost. */
const MAX_WAIT_MS = 3000;
/** What the rest of an answer may take on a busy machine. */
const SLACK_MS = 2500;

describe('a Redis that goes away', { timeout: 60_000 }, () => {
  let redis: TestRedis;
  let test: TestBroker;
  beforeEach(async () => {
    redis = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
    const storage = redisStorage(redis.settings());
    await storage.open();
    const store = { storage, replica: storage, advance: async () => undefined, close: () => storage.close() };
    test = await createTestBroker({ store, yaml: { clients: { 'build-cli': { name: 'CLI', interval: '1s' } } } });
  });
  afterEach(async () => {
    redis.thaw();
    await test.close();
    await test.store.close();
    await redis.stop();
  });

  async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
    const startedAtMs = performance.now();
    const answer = await work;
    return { answer, ms: performance.now() - startedAtMs };
  }
  function expectTryAgain({ answer, ms }: { answer: DeviceAnswer; ms: number }) {
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(ms).toBeLessThan(MAX_WAIT_MS + SLACK_MS);
  }
  /** Polls until the storage answers again; devices do the same. */
  async function recovered(code: string): Promise<DeviceAnswer> {
    for (let n = 0; n < 50; n += 1) {
      const answer = await test.device().poll(code);
      if (answer.status !== 503) return answer;
      await delay(100);
    }
    throw new Error('it does not recover');
  }
  const pageOf = async (userCode: string) => {
    const person = new ScriptedPerson();
    const page = await person.visit(`${test.publicUrl}/device`);
    const form = page.forms.find(({ fields }) => fields.has('user_code'));
    return form === undefined ? page : person.submit(page, form, { user_code: userCode });
  };

  it('frozen: 503 after at most 3 s at both doors; thawed, everything goes on by itself', async () => {
    const { body } = await test.device().start();
    redis.freeze();
    const [poll, start, page, jwks] = await Promise.all([
      timed(test.device().poll(body.device_code)),
      timed(test.device().start()),
      timed(pageOf(body.user_code)),
      timed(test.device().send('/jwks')),
    ]);
    expectTryAgain(poll);
    expectTryAgain(start);
    expect(page.answer.status).toBe(503);
    expect(page.answer.html).toMatch(/try again/i);
    expect(page.ms).toBeLessThan(MAX_WAIT_MS + SLACK_MS);
    expect(jwks.answer.status).toBe(200);

    redis.thaw();
    expect((await recovered(body.device_code)).body.error).toBe('authorization_pending');
    expect(
      (await decide({ verificationUri: `${test.publicUrl}/device`, userCode: body.user_code, user: 'alice' })).status,
    ).toBe(200);
    expect((await recovered(body.device_code)).status).toBe(200);
  });

  it('frozen for a second: who waits gets the answer, and nobody notices', async () => {
    const { body } = await test.device().start();
    redis.freeze();
    const polls = Promise.all(Array.from({ length: 20 }, () => test.device().poll(body.device_code)));
    await delay(1000);
    redis.thaw();
    expect(new Set((await polls).map(({ body: answer }) => answer.error))).toEqual(new Set(['authorization_pending']));
  });

  it('killed and started again: what was acknowledged is still there, the approval too', async () => {
    const [approved, pending] = [(await test.device().start()).body, (await test.device().start()).body];
    await test.approve(approved.user_code);
    await redis.kill();
    expectTryAgain(await timed(test.device().poll(approved.device_code)));
    expectTryAgain(await timed(test.device().start()));
    await redis.restart();
    expect((await recovered(approved.device_code)).status).toBe(200);
    expect((await recovered(pending.device_code)).body.error).toBe('authorization_pending');
    expect((await test.device().start()).status).toBe(200);
  });

  it('frozen at the redemption: the tokens come once it is back, exactly once', async () => {
    const { body } = await test.device().start();
    await test.approve(body.user_code);
    redis.freeze();
    expectTryAgain(await timed(test.device().poll(body.device_code)));
    redis.thaw();
    expect((await recovered(body.device_code)).status).toBe(200);
    expect((await recovered(body.device_code)).body.error).toBe('invalid_grant');
  });

  it('a thousand requests while it is away: each has its answer, and the process lives', async () => {
    const { body } = await test.device().start();
    redis.freeze();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => test.device().poll(body.device_code)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    redis.thaw();
    expect((await recovered(body.device_code)).body.error).toBe('authorization_pending');
  });
});
