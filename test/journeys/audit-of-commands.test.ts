import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

let redis: TestRedis;
let upstream: FakeUpstream;
let hook: Server;
let broker: BrokerProcess;
const delivered: { event: string }[] = [];

beforeAll(async () => {
  redis = await startRedisServer();
  upstream = await startFakeUpstream();
  hook = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      delivered.push(JSON.parse(body) as { event: string });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    hook.listen(0, '127.0.0.1', resolve);
  });
  const { username, password } = LEAST_USER;
  const environment = {
    ...(await sharedSecrets()),
    UPSTREAM_SECRET: upstream.clientSecret,
    REDIS_PASSWORD: password.reveal(),
  };
  const yaml = brokerYaml(upstream, {
    storage: { driver: 'redis', redis: { url: redis.url, username, password: { env: 'REDIS_PASSWORD' } } },
    audit: { chain: true, webhook: { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` } },
  });
  broker = await startBrokerProcess({ environment, yaml });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}, 60_000);
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await broker.stop();
  hook.close();
  await upstream.close();
  await redis.stop();
});

it('what an administrator ends stands in the chained log of the broker, and goes to its webhook', async () => {
  expect(await runCli('end', '--client', 'build-cli', '--yes', '--config', broker.file)).toMatchObject({ code: 0 });
  const line = await broker.logged('admin.ended');
  expect(line).toMatchObject({ client: 'build-cli', detail: 'gatehouse end', number: expect.any(Number) });
  await vi.waitFor(() => expect(delivered).toContainEqual(expect.objectContaining({ event: 'admin.ended' })), 10_000);
  expect(delivered.find(({ event }) => event === 'admin.ended')).toMatchObject({
    client: 'build-cli',
    operator: line['operator'],
  });
});

it('the sessions that a command ends one by one are counted by the broker, by client', {
  timeout: 30_000,
}, async () => {
  const { origin } = broker;
  const place = { origin, publicUrl: origin, now: async () => Date.now() };
  const ended = async () => {
    const text = await (await fetch(`${broker.operations}/metrics`)).text();
    return Number(/^gatehouse_sessions_ended_total\{.*"administrator"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  for (const words of [
    ['end', '--client', 'build-cli'],
    ['sessions', 'end', '--client', 'build-cli'],
  ]) {
    const before = await ended();
    for (const user of ['alice', 'bob']) {
      const device = new TestDevice(place, { clientId: 'build-cli' });
      const { body } = await device.start();
      expect((await approve(`${origin}/device`, body.user_code, user)).status).toBe(200);
      expect((await device.poll(body.device_code)).status).toBe(200);
    }
    expect(await runCli(...words, '--yes', '--config', broker.file)).toMatchObject({ code: 0 });
    await expect.poll(ended, { timeout: 10_000 }).toBe(before + 2);
  }
});
