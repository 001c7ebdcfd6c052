import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantId } from '../../src/grants/device-code.ts';
import { confirmationEntry } from '../../src/ledger/entry-keys.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { pipelinedBurst } from '../support/broker/pipelined-burst.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';

const ROUNDS = 100;
const GUESSES = 20;

describe('a burst of tries over a Redis that is 2 ms away', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let test: TestBroker;
  beforeAll(async () => {
    redis = await startRedisServer();
    proxy = await tcpProxy(redis.port, { delayMs: 2 });
    const storage = redisStorage({ at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' });
    await storage.open();
    const store = { storage, replica: storage, advance: async () => undefined, close: () => storage.close() };
    test = await createTestBroker({ store });
  });
  afterAll(async () => {
    await test.close();
    await test.store.close();
    await proxy.close();
    await redis.stop();
  });

  /** The tags of the codes that were looked at. */
  async function placesOf(deviceCode: string): Promise<(string | undefined)[]> {
    const id = grantId(new Secret(deviceCode));
    const { values } = await test.store.storage.ledger.read([1, 2, 3, 4].map((place) => confirmationEntry(id, place)));
    return values.map((value) => value?.split('|')[1]);
  }

  it(`of confirmation codes buys three, wherever the right one is among them (${ROUNDS} rounds)`, async () => {
    let wins = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { body } = await test.device().start({ confirmation: 'required' });
      const guesses = Array.from({ length: GUESSES }, (_, n) => String(1000 + n));
      const right = guesses[randomInt(GUESSES)] as string;
      await test.approve(body.user_code, { confirmationCode: right });
      const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: body.device_code };
      const answers = await pipelinedBurst(
        test.origin,
        guesses.map((guess) => ({ path: '/token', form: { ...form, confirmation_code: guess } })),
      );

      const tagOf = (guess: string) =>
        test.broker.processContext.sealing.tag(
          'confirmation code',
          `${grantId(new Secret(body.device_code))} ${guess}`,
        );
      const told = guesses.filter((_, n) => !answers[n]?.body.includes('access_denied'));
      const places = await placesOf(body.device_code);
      expect(places[3]).toBeUndefined();
      // Whoever was told anything but the denial has one of the three places: nobody else was looked at.
      expect(told.map(tagOf).every((tag) => places.includes(tag))).toBe(true);
      expect(told.length).toBeLessThanOrEqual(3);
      if (told.includes(right)) wins += 1;
      else expect(answers.map(({ status }) => status)).not.toContain(200);
    }
    // Three of twenty, give or take five standard deviations.
    expect(wins).toBeLessThanOrEqual(33);
  }, 120_000);
});
