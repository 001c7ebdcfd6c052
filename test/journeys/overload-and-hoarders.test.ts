import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostileConnection } from '../../fuzz/hostile-connection.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker-process.ts';
import { brokerYaml } from '../support/broker-yaml.ts';
import { createTestBroker } from '../support/test-broker.ts';
import { DEVICE_CODE_GRANT, TestDevice } from '../support/test-device.ts';

/** About sixty saturate one process on one core. */
const CONNECTIONS = 3 * 64;
const LOAD_MS = 6000;
const MEBIBYTE = 1024 * 1024;

let broker: BrokerProcess;
let device: TestDevice;
beforeAll(async () => {
  const yaml = brokerYaml({ issuer: 'http://127.0.0.1:9' }, { storage: { driver: 'memory' }, log: { level: 'error' } });
  const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: 'x' };
  broker = await startBrokerProcess({ yaml, environment });
  const { origin } = broker;
  device = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
});
afterAll(() => broker.stop('SIGKILL'));

const port = () => Number(new URL(broker.origin).port);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${broker.operations}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

async function startedCode(): Promise<string> {
  const { body, text } = await device.start();
  if (body.device_code === undefined) throw new Error(text);
  return body.device_code;
}

async function slowestPoll(code: string, whileTrue: () => boolean): Promise<number> {
  let slowestMs = 0;
  do {
    const sentAt = performance.now();
    const { status } = await device.poll(code);
    expect(status).toBe(400);
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    await delay(50);
  } while (whileTrue());
  return slowestMs;
}

describe('three times the connections that saturate it, each polling without a pause', () => {
  it('all have their 400 JSON within 3 s, in bounded memory, and the event loop stays below 200 ms', {
    timeout: 60_000,
  }, async () => {
    const codes = await Promise.all(Array.from({ length: CONNECTIONS }, startedCode));
    // The lag is measured from the first scrape on, anew for each.
    await metric('nodejs_eventloop_lag_p99_seconds');
    const endsAt = performance.now() + LOAD_MS;
    let slowestMs = 0;
    let polls = 0;
    const wrong: string[] = [];
    await Promise.all(
      codes.map(async (code) => {
        const connection = new HostileConnection(port());
        const body = new URLSearchParams({
          grant_type: DEVICE_CODE_GRANT,
          client_id: 'build-cli',
          device_code: code,
        }).toString();
        const head = `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
        const bytes = Buffer.from(`${head}\r\n\r\n${body}`);
        while (performance.now() < endsAt) {
          const sentAt = performance.now();
          const outcome = await connection.send(bytes, { isHead: false, isLast: false });
          slowestMs = Math.max(slowestMs, performance.now() - sentAt);
          polls += 1;
          const answer = outcome.end === 'answered' ? outcome.answers[0] : undefined;
          if (answer?.status !== 400 || !/"(authorization_pending|slow_down)"/.test(answer.body))
            wrong.push(outcome.end);
        }
        connection.close();
      }),
    );
    expect(wrong).toEqual([]);
    expect(polls).toBeGreaterThan(CONNECTIONS * 5);
    expect(slowestMs).toBeLessThan(3000);
    expect(await metric('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(0.2);
    expect(await metric('process_resident_memory_bytes')).toBeLessThan(350 * MEBIBYTE);
    // Nothing is lost: whoever polls on at a decent pace is still pending.
    expect((await device.poll(codes[0] ?? '')).status).toBe(400);
  });

  it('starts are refused first, with Retry-After, once it lasts; polls are not', async () => {
    const test = await createTestBroker();
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
  });
});

describe('connections that are kept for nothing', () => {
  async function hoard(count: number, first: string, drip: string): Promise<number[]> {
    const lives = Array.from({ length: count }, async () => {
      const socket = connect(port(), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      const began = performance.now();
      socket.write(first);
      const dripping = setInterval(() => socket.write(drip), 500);
      socket.resume();
      await once(socket, 'close');
      clearInterval(dripping);
      return performance.now() - began;
    });
    return Promise.all(lives);
  }

  const head = 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n';
  it.each([
    ['headers that never end', 'POST /token HTTP/1.1\r\nHost: x\r\n', 'X-Drip: drop\r\n'],
    ['a body that never ends', `${head}Content-Length: 8000\r\n\r\n`, 'x'],
    ['chunks that never end', `${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
  ])('%s are cut within 15 s, and nobody else notices', { timeout: 40_000 }, async (_, first, drip) => {
    const code = await startedCode();
    let isOver = false;
    const hoarded = hoard(200, first, drip).finally(() => {
      isOver = true;
    });
    const slowestMs = await slowestPoll(code, () => !isOver);
    const lives = await hoarded;
    expect(Math.max(...lives)).toBeLessThan(15_500);
    expect(slowestMs).toBeLessThan(1000);
  });

  it('five thousand of them, idle, cost little memory and no poll', { timeout: 60_000 }, async () => {
    const code = await startedCode();
    const before = await metric('process_resident_memory_bytes');
    const sockets: Socket[] = [];
    for (let batch = 0; batch < 10; batch += 1) {
      const opened = Array.from({ length: 500 }, () => connect(port(), '127.0.0.1').on('error', () => undefined));
      await Promise.all(opened.map((socket) => once(socket, 'connect')));
      sockets.push(...opened);
    }
    const slowestMs = await slowestPoll(code, () => false);
    const grown = (await metric('process_resident_memory_bytes')) - before;
    for (const socket of sockets) socket.destroy();
    expect(slowestMs).toBeLessThan(1000);
    expect(grown).toBeLessThan(150 * MEBIBYTE);
  });
});
