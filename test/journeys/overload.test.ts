import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostileConnection } from '../fuzz/hostile-connection.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT, TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableMemory, movableRedis } from '../support/redis/storage-under-test.ts';

/** About sixty saturate one process on one core, with either driver. */
const CONNECTIONS = 3 * 64;
const LOAD_MS = 6000;
const MEBIBYTE = 1024 * 1024;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

describe.each(['memory', 'redis'] as const)('with the %s driver', (driver) => {
  let broker: BrokerProcess;
  let device: TestDevice;
  beforeAll(async () => {
    const storage = driver === 'memory' ? { driver } : { driver, redis: { url: redis.url } };
    const yaml = brokerYaml({ issuer: 'http://127.0.0.1:9' }, { storage, log: { level: 'error' } });
    const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: 'x' };
    broker = await startBrokerProcess({ yaml, environment });
    const { origin } = broker;
    device = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
  });
  afterAll(() => broker.stop('SIGKILL'));

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${broker.operations}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  }

  /** As a device does that is told to come again: on a machine with other work, starts may be too many at once. */
  async function startedCode(): Promise<string> {
    for (let tries = 0; tries < 40; tries += 1) {
      const { body } = await device.start();
      if (body.device_code !== undefined) return body.device_code;
      await delay(500);
    }
    throw new Error('no start was taken');
  }

  it('three times the connections that saturate it, each polling without a pause, all have their 400 JSON within 3 s', {
    timeout: 60_000,
  }, async () => {
    const port = Number(new URL(broker.origin).port);
    const codes: string[] = [];
    while (codes.length < CONNECTIONS) codes.push(await startedCode());
    const connections = codes.map(() => new HostileConnection(port));
    const slowestMs = { known: 0, newcomer: 0 };
    const wrong: string[] = [];
    let polls = 0;
    const pollOver = async (connection: HostileConnection, code: string, whose: keyof typeof slowestMs) => {
      const sentAt = performance.now();
      const outcome = await connection.send(pollOf(code), { isHead: false, isLast: false });
      slowestMs[whose] = Math.max(slowestMs[whose], performance.now() - sentAt);
      polls += 1;
      const answer = outcome.end === 'answered' ? outcome.answers[0] : undefined;
      if (answer?.status !== 400 || !/"(authorization_pending|slow_down)"/.test(answer.body)) wrong.push(outcome.end);
    };
    // Devices that poll have a connection. Node takes one new one in a turn of its event loop.
    for (const [n, connection] of connections.entries()) await pollOver(connection, codes[n] ?? '', 'known');
    // The lag is measured from the first scrape on, anew for each.
    await metric('nodejs_eventloop_lag_p99_seconds');
    const endsAt = performance.now() + LOAD_MS;
    const isOver = () => performance.now() > endsAt;
    const known = connections.map(async (connection, n) => {
      while (!isOver()) await pollOver(connection, codes[n] ?? '', 'known');
      connection.close();
    });
    // And meanwhile others come who have none.
    const newcomer = async () => {
      while (!isOver()) {
        const connection = new HostileConnection(port);
        await pollOver(connection, codes[0] ?? '', 'newcomer');
        connection.close();
      }
    };
    await Promise.all([...known, newcomer()]);
    expect(wrong).toEqual([]);
    expect(polls).toBeGreaterThan(CONNECTIONS * 5);
    expect(slowestMs.known).toBeLessThan(3000);
    expect(slowestMs.newcomer).toBeLessThan(3000);
    expect(await metric('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(0.2);
    expect(await metric('process_resident_memory_bytes')).toBeLessThan(350 * MEBIBYTE);
    // Nothing is lost: every code is still pending.
    for (const code of codes) expect((await device.poll(code)).body.error).toMatch(/authorization_pending|slow_down/);
  });

  it('starts are refused first, with Retry-After, once it lasts; polls are not', async () => {
    const store = driver === 'memory' ? await movableMemory() : await movableRedis(redis.settings());
    const test = await createTestBroker({ store });
    const { body } = await test.device().start();
    let isBusy = true;
    const burden = (): void => {
      const until = performance.now() + 150;
      while (performance.now() < until);
      if (isBusy) setImmediate(burden);
    };
    burden();
    const starts: number[] = [];
    let retryAfter: string | null = null;
    for (let n = 0; n < 30 && !starts.includes(429); n += 1) {
      const started = await test.device().start();
      starts.push(started.status);
      retryAfter = started.headers.get('retry-after');
    }
    const polled = await test.device().poll(body.device_code);
    isBusy = false;
    expect(starts[0]).toBe(200);
    expect(starts.at(-1)).toBe(429);
    expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(polled.body.error).toBe('authorization_pending');
    await delay(300);
    expect((await test.device().start()).status).toBe(200);
    await test.close();
    await store.close();
  });
});

function pollOf(code: string): Buffer {
  const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: code };
  const body = new URLSearchParams(form).toString();
  const head = `POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
  return Buffer.from(`${head}\r\n\r\n${body}`);
}
