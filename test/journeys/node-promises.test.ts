import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

/** What a process of ours expects of Node itself, release after release. */
describe('a broker and its Node', { timeout: 60_000 }, () => {
  let upstream: FakeUpstream;
  let redis: TestRedis;
  let environment: Record<string, string>;
  let broker: BrokerProcess;
  beforeAll(async () => {
    [upstream, redis] = await Promise.all([startFakeUpstream(), startRedisServer()]);
    environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret };
  });
  afterEach(() => broker.stop('SIGKILL'));
  afterAll(async () => {
    await upstream.close();
    await redis.stop();
  });

  // Today's warning is an error two releases later; so is one that is still pending, and said only when asked for.
  it('hear no warning of Node through a whole sign-in, a reload and a scrape', async () => {
    const yaml = brokerYaml(upstream, { storage: { driver: 'redis', redis: { url: redis.url } } });
    broker = await startBrokerProcess({
      yaml,
      environment: { ...environment, NODE_OPTIONS: '--pending-deprecation --trace-warnings' },
    });
    const { origin, operations } = broker;
    const at = { origin, publicUrl: origin, now: async () => Date.now() };
    const device = new TestDevice(at, { clientId: 'build-cli' });
    const { body } = await device.start({ scope: 'openid offline_access' });
    expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
    expect((await approve(`${origin}/device`, body.user_code, 'alice')).status).toBe(200);
    const tokens = await device.poll(body.device_code);
    expect(tokens.status).toBe(200);
    const refreshed = await device.refresh(tokens.body.refresh_token);
    expect((await device.revoke(refreshed.body.refresh_token)).status).toBe(200);
    expect((await fetch(`${operations}/metrics`)).status).toBe(200);
    broker.child.kill('SIGHUP');
    await broker.logged('config.reloaded');
    expect(await broker.stop()).toBe(0);
    expect(broker.noise).toEqual([]);
  });

  it.each([
    ['a promise that nobody looked at', "Promise.reject(new Error('nobody caught this'))"],
    ['an exception in a timer', "throw new Error('nobody caught this')"],
  ])('%s ends the process with 70, and is in the log', async (_, fault) => {
    // Only once the process listens; before that it would be a start that fails.
    const code = `process.once('SIGUSR2', () => setTimeout(() => { ${fault} }, 1))`;
    const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(code)}`;
    const yaml = brokerYaml(upstream, { storage: { driver: 'memory' } });
    broker = await startBrokerProcess({ yaml, environment: { ...environment, NODE_OPTIONS } });
    const ended = once(broker.child, 'exit');
    broker.child.kill('SIGUSR2');
    expect((await ended)[0]).toBe(70);
    expect(JSON.stringify(await broker.logged('process.fault'))).toContain('nobody caught this');
  });
});
