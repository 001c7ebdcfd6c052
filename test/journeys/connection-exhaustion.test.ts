import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { TestDevice } from '../support/broker/test-device.ts';

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
      // Not `once`, for which a reset before the close is an error.
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(dripping);
      return performance.now() - began;
    });
    return Promise.all(lives);
  }

  const head = 'POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n';
  it.each([
    ['headers that never end', 'POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'X-Drip: drop\r\n'],
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
