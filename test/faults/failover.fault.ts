import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { startRedisSentinel } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { checkInvariants } from './check-invariants.ts';
import { entriesOf } from './entries-of.ts';
import { record, summed } from './fault-row.ts';
import { heard } from './installation.ts';
import { loseRedemption } from './lose-redemption.ts';
import { sideBySide } from './side-by-side.ts';
import { sizeOf } from './sizes.ts';

const LOSSY_TIMES = sizeOf('LOSSY_FAILOVERS');
const SENTINEL_TIMES = sizeOf('SENTINEL_FAILOVERS');
const LANES = 4;
const SEALING_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const yaml = { clients: { 'build-cli': { interval: '1s' } } };

describe('a failover', () => {
  it('that loses a redemption makes the same session again (F5)', async () => {
    const lost = await sideBySide(LOSSY_TIMES, LANES, loseRedemption);
    const violations = lost.flatMap((each) => each.violations);
    record({
      group: 'Failover',
      fault: 'the master dies with a redemption (every other time also a refresh) that its replica has not seen',
      times: LOSSY_TIMES,
      device: summed(lost.map(({ heardThen }) => heardThen)),
      person: 'nothing',
      recovery: 'a second answer has the same refresh token: one session, one chain, one thing to revoke',
      violations,
    });
    expect(violations).toEqual([]);
  });

  it('by Sentinel, with everything replicated, loses nothing', async () => {
    const seconds: number[] = [];
    const heardThen: string[] = [];
    const violations: string[] = [];
    for (let time = 0; time < SENTINEL_TIMES; time += 1) {
      const sentinel = await startRedisSentinel();
      const at = { sentinel: { name: 'mymaster', nodes: sentinel.nodes } };
      const store = await movableRedis({ at, keyPrefix: 'gatehouse:' });
      const test = await createTestBroker({ store, environment: { SEALING_KEY }, yaml });
      const device = test.device();
      const { body: pending } = await device.start();
      const { body: approved } = await device.start({ scope: 'openid offline_access' });
      await test.approve(approved.user_code);
      const tokens = await test.signIn();
      await expect
        .poll(() => entriesOf(sentinel.replica.url), { timeout: 20_000 })
        .toBe(await entriesOf(sentinel.master.url));
      // A sentinel that does not know the replica well yet promotes nobody, and tries again only after six minutes.
      const watcher = new Redis(`redis://${sentinel.nodes[0]}`);
      const known = () => watcher.call('SENTINEL', 'REPLICAS', 'mymaster') as Promise<string[][]>;
      const isGood = (facts: string[]) =>
        facts[facts.indexOf('flags') + 1] === 'slave' && facts[facts.indexOf('master-link-status') + 1] === 'ok';
      await expect.poll(async () => (await known()).filter(isGood).length, { timeout: 30_000 }).toBe(1);
      watcher.disconnect();
      await delay(200);
      await sentinel.master.kill();
      const began = performance.now();
      let answer = await device.poll(approved.device_code);
      const statuses = [answer.status];
      while (answer.status === 503 && performance.now() - began < 60_000) {
        answer = await device.poll(approved.device_code);
        statuses.push(answer.status);
      }
      seconds.push((performance.now() - began) / 1000);
      const others = [heard(await device.poll(pending.device_code)), heard(await device.refresh(tokens.refresh_token))];
      heardThen.push(
        `approved: ${[...new Set(statuses)].join(', then ')}; pending: ${others[0]}; refresh: ${others[1]}`,
      );
      violations.push(
        ...(await checkInvariants({
          redisUrl: sentinel.replica.url,
          sealingKey: SEALING_KEY,
          secrets: [pending.device_code, approved.device_code, tokens.refresh_token],
          issued: new Map([[approved.device_code, [answer.body]]]),
        })),
      );
      await test.close();
      await store.close();
      await sentinel.stop();
    }
    record({
      group: 'Failover',
      fault: 'Sentinel: the master is killed, its replica is promoted (down after 1 s)',
      times: SENTINEL_TIMES,
      device: summed(heardThen),
      person: 'at most a page that says “try again”',
      recovery: `${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)} s until the approved code had its tokens`,
      violations,
    });
    expect(violations).toEqual([]);
    for (const each of heardThen) expect(each).toMatch(/200; pending: 400 authorization_pending; refresh: 200$/);
  });
});
