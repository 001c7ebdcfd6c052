import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';
import { checkInvariants } from './check-invariants.ts';
import { withFailpoint } from './failpoint.ts';
import { record, summed } from './fault-row.ts';
import { heard } from './installation.ts';
import { sizeOf } from './sizes.ts';

const TIMES = sizeOf('FAULT_TIMES');
const SEALING_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

let redis: TestRedis;
let proxy: TcpProxy;
let test: TestBroker;
let strikes: number;
let cut: RegExp | undefined;

beforeEach(async () => {
  redis = await startRedisServer();
  proxy = await tcpProxy(redis.port);
  strikes = 0;
  const storage = redisStorage({ at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' });
  await storage.open();
  // What is written here is written, and its answer is thrown away with the connection.
  const key = { test: (name: string) => cut?.test(name) === true } as RegExp;
  const failing = withFailpoint(storage, { verb: 'commit', key, moment: 'before' }, () => {
    strikes += 1;
    proxy.cutBeforeNextReply();
  });
  const store = { storage: failing, replica: failing, advance: async () => undefined, close: () => storage.close() };
  test = await createTestBroker({
    store,
    environment: { SEALING_KEY },
    yaml: { clients: { 'build-cli': { interval: '1s' } } },
  });
});
afterEach(async () => {
  await test.close();
  await test.store.close();
  await proxy.close();
  await redis.stop();
});

const check = (issued?: Parameters<typeof checkInvariants>[0]['issued']) =>
  checkInvariants({
    redisUrl: redis.url,
    sealingKey: SEALING_KEY,
    secrets: [],
    ...(issued !== undefined && { issued }),
  });

describe('the way to Redis', () => {
  it('is cut between a script and its reply, at every write of a sign-in and of a refresh', async () => {
    const outcomes: string[] = [];
    const issued = new Map<string, { refresh_token?: unknown }[]>();
    cut = /^code:|:grant$|^trip:|:arrival:|:decision$|:spent$|:refresh$/;
    for (let time = 0; time < TIMES; time += 1) {
      const device = test.device();
      const started = await device.start({ scope: 'openid offline_access' });
      const page = await approve(`${test.origin}/device`, started.body.user_code, 'alice');
      const polled = await device.poll(started.body.device_code);
      const refreshed = await device.refresh(polled.body.refresh_token);
      issued.set(started.body.device_code, [polled.body]);
      const decided = page.url.pathname === '/device/done' ? 'done' : String(page.status);
      outcomes.push(`start ${heard(started)}, approval ${decided}, poll ${heard(polled)}, refresh ${heard(refreshed)}`);
    }
    const violations = await check(issued);
    expect(strikes).toBe(8 * TIMES);
    record({
      group: 'Connection',
      fault: 'cut between script and reply, at every write of a sign-in (7) and at the refresh',
      times: TIMES,
      device: summed(outcomes),
      person: 'nothing',
      recovery: 'the script is sent again, finds its own attempt, and has won',
      violations,
    });
    expect(violations).toEqual([]);
    expect(summed(outcomes)).toBe('start 200, approval done, poll 200, refresh 200');
  });

  it('is open, and Redis is full', async () => {
    const device = test.device();
    const { body: pending } = await device.start();
    const { body: approved } = await device.start();
    await test.approve(approved.user_code);
    const administrator = new Redis(redis.url);
    await administrator.config('SET', 'maxmemory', '1');
    const polled = heard(await device.poll(pending.device_code));
    const started = await device.start();
    const redeemed = heard(await device.poll(approved.device_code));
    const page = await approve(`${test.origin}/device`, pending.user_code, 'alice');
    await administrator.config('SET', 'maxmemory', '0');
    administrator.disconnect();
    const then = [heard(await device.poll(approved.device_code)), heard(await device.start())];
    const violations = await check();
    record({
      group: 'Connection',
      fault: '`maxmemory` reached (`noeviction`)',
      times: 1,
      device: `pending poll: ${polled}; start: ${heard(started)} with Retry-After; approved: ${redeemed}`,
      person: `${page.status}: try again`,
      recovery: `with room again: approved ${then[0]}, start ${then[1]}`,
      violations,
    });
    expect(violations).toEqual([]);
    expect([polled, redeemed, ...then]).toEqual([
      '400 authorization_pending',
      '503 temporarily_unavailable',
      '200',
      '200',
    ]);
    expect(started.headers.get('retry-after')).not.toBeNull();
    expect(page.status).toBe(503);
  });
});
