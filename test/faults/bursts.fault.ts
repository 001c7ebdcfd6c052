import { randomInt } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { type BurstAnswer, pipelinedBurst } from '../support/broker/pipelined-burst.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';
import { record, summed } from './fault-row.ts';
import { sizeOf } from './sizes.ts';

const ROUNDS = sizeOf('BURST_ROUNDS');
const GUESSES = sizeOf('BURST_GUESSES');
const SECRET = 'kq3vY0m1PzW8sD5xH2nR7t';
const DELAY_MS = 2;

let redis: TestRedis;
let proxy: TcpProxy;
let test: TestBroker;
beforeEach(async () => {
  redis = await startRedisServer();
  proxy = await tcpProxy(redis.port, { delayMs: DELAY_MS });
  const storage = redisStorage({ at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' });
  await storage.open();
  const store = { storage, replica: storage, advance: async () => undefined, close: () => storage.close() };
  test = await createTestBroker({
    store,
    environment: { SECRET },
    yaml: { trusted_proxies: ['127.0.0.1/32'], clients: { robot: { client_secret: { env: 'SECRET' } } } },
  });
});
afterEach(async () => {
  await test.close();
  await test.store.close();
  await proxy.close();
  await redis.stop();
});

const count = (answers: readonly BurstAnswer[], what: (answer: BurstAnswer) => boolean) => answers.filter(what).length;
const most = (numbers: readonly number[]) => Math.max(...numbers);

describe('a burst of tries, pipelined, with the right one at any place, over a Redis that is 2 ms away', () => {
  it('of confirmation codes', async () => {
    const judged: number[] = [];
    let wins = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { body } = await test.device().start({ confirmation: 'required' });
      const guesses = Array.from({ length: GUESSES }, (_, n) => String(1000 + n));
      await test.approve(body.user_code, { confirmationCode: guesses[randomInt(GUESSES)] });
      const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: body.device_code };
      const answers = await pipelinedBurst(
        test.origin,
        guesses.map((guess) => ({ path: '/token', form: { ...form, confirmation_code: guess } })),
      );
      judged.push(count(answers, ({ body: text }) => !text.includes('access_denied')));
      wins += count(answers, ({ status }) => status === 200);
    }
    const violations = most(judged) > 3 ? [`${most(judged)} codes were judged`] : [];
    record({
      group: 'Bursts',
      fault: 'confirmation codes, three tries',
      times: ROUNDS,
      device: `${GUESSES} at once each time: at most ${most(judged)} were judged; tokens in ${wins}`,
      person: 'nothing',
      recovery: 'the device starts again',
      violations,
    });
    expect(violations).toEqual([]);
  });

  it('of a client’s secrets', async () => {
    const judged: number[] = [];
    const honest: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = `10.${round >> 8}.${round & 255}.7`;
      const right = randomInt(GUESSES);
      const burst = pipelinedBurst(
        test.origin,
        Array.from({ length: GUESSES }, (_, n) => ({
          path: '/token',
          headers: { 'X-Forwarded-For': from },
          form: {
            ...{ grant_type: DEVICE_CODE_GRANT, device_code: 'made-up', client_id: 'robot' },
            client_secret: n === right ? SECRET : `guess-number-${n}`,
          },
        })),
      );
      const robot = test.device({ clientId: 'robot', secret: SECRET });
      honest.push(String((await robot.start({}, { 'x-forwarded-for': '198.51.100.1' })).status));
      judged.push(count(await burst, ({ status }) => status !== 429));
    }
    // Twenty failures, or nineteen and the right one, or the right one before all of them; from everywhere one each.
    const violations = most(judged) > 21 ? [`${most(judged)} secrets were judged`] : [];
    record({
      group: 'Bursts',
      fault: 'secrets of one client from one address, twenty failures',
      times: ROUNDS,
      device: `${GUESSES} at once each time: at most ${most(judged)} were judged, the right one among them; an honest client elsewhere meanwhile: ${summed(honest)}`,
      person: 'nothing',
      recovery: 'with the ten minutes',
      violations,
    });
    expect(violations).toEqual([]);
    expect(summed(honest)).toBe('200');
  });
});
