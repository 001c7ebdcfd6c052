import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { tcpProxy } from '../support/redis/tcp-proxy.ts';
import { checkInvariants } from './check-invariants.ts';
import { entriesOf } from './entries-of.ts';
import { heard } from './installation.ts';

const SEALING_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const yaml = { clients: { 'build-cli': { interval: '1s' } } };

/** A master and a replica of its own; the link is cut before the redemption, and the replica promoted after it. */
export async function loseRedemption(time: number): Promise<{ heardThen: string; violations: string[] }> {
  const master = await startRedisServer(['--repl-diskless-sync-delay', '0']);
  const replica = await startRedisServer(['--replicaof', '127.0.0.1', String(master.port)]);
  const proxy = await tcpProxy(master.port);
  const store = await movableRedis({ at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' });
  const test = await createTestBroker({ store, environment: { SEALING_KEY }, yaml });
  const follower = new Redis(replica.url);
  try {
    // One that rotates would refuse its spent token, and end the session: see the page's text.
    test.upstream.behaviour = { token: { keepsRefreshToken: true } };
    const device = test.device();
    const { body } = await device.start({ scope: 'openid offline_access' });
    await test.approve(body.user_code);
    await expect.poll(() => follower.dbsize(), { timeout: 20_000 }).toBe(await entriesOf(master.url));
    // From here on nothing reaches the replica: what the master acknowledges now is lost with it.
    await follower.replicaof('NO', 'ONE');
    const first = await device.poll(body.device_code);
    const refreshed = time % 2 === 0 ? undefined : await device.refresh(first.body.refresh_token);
    await master.kill();
    proxy.leadTo(replica.port);
    proxy.cut();
    const second = await device.poll(body.device_code);
    const third = await device.poll(body.device_code);
    const answers = [first, second].filter(({ status }) => status === 200).map((each) => each.body);
    const violations = await checkInvariants({
      redisUrl: replica.url,
      sealingKey: SEALING_KEY,
      secrets: [body.device_code, body.user_code, ...answers.map(({ refresh_token: token }) => token)],
      issued: new Map([[body.device_code, answers]]),
      mostAnswers: 2,
    });
    if (refreshed !== undefined) {
      const successor = await device.refresh(first.body.refresh_token);
      if (successor.body.refresh_token !== refreshed.body.refresh_token) violations.push('I1: another successor');
    }
    return { heardThen: `${heard(first)}, then ${heard(second)}, then ${heard(third)}`, violations };
  } finally {
    follower.disconnect();
    await test.close();
    await store.close();
    await proxy.close();
    await Promise.all([master.stop(), replica.stop()]);
  }
}
