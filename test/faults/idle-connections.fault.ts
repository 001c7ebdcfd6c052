import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { record } from './fault-row.ts';
import { holdConnections } from './hold-connections.ts';
import { sizeOf } from './sizes.ts';

const CONNECTIONS = sizeOf('IDLE_CONNECTIONS');
/** Of a process' files, for all that is no connection of a device. */
const FILES_OF_ITS_OWN = 500;
/** From one address to one place; the system has a few more, which others want too. */
const PORTS = 25_000;
const POLLS_FOR_MS = 5000;
const KIBIBYTE = 1024;

const run = promisify(execFile);

it('idle connections cost memory only, and nobody’s poll waits for them', async () => {
  const filesPerProcess = await openFilesLimit(CONNECTIONS + FILES_OF_ITS_OWN);
  const perBroker = Math.min(CONNECTIONS, PORTS, filesPerProcess - FILES_OF_ITS_OWN);
  const redis = await startRedisServer();
  const yaml = brokerYaml(
    { issuer: 'http://127.0.0.1:9' },
    { storage: { driver: 'redis', redis: { url: redis.url } } },
  );
  const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: 'x' };
  const brokers = await Promise.all(
    Array.from({ length: Math.ceil(CONNECTIONS / perBroker) }, () => startBrokerProcess({ yaml, environment })),
  );
  const holders: Awaited<ReturnType<typeof holdConnections>>[] = [];
  try {
    const devices = brokers.map(
      ({ origin }) =>
        new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' }),
    );
    const codes = await Promise.all(devices.map(async (device) => (await device.start()).body.device_code));
    const slowest = async (): Promise<number> =>
      Math.max(...(await Promise.all(devices.map((each, n) => slowestPoll(each, codes[n] as string)))));
    const slowestBeforeMs = await slowest();
    const before = await residentBytes(brokers);
    holders.push(
      ...(await Promise.all(
        brokers.map(({ origin }, n) =>
          holdConnections(Number(new URL(origin).port), Math.min(perBroker, CONNECTIONS - n * perBroker)),
        ),
      )),
    );
    const slowestMs = await slowest();
    const held = holders.reduce((sum, holder) => sum + holder.held(), 0);
    const grown = (await residentBytes(brokers)) - before;
    const kibibytesEach = grown / held / KIBIBYTE;
    record({
      group: 'Idle connections',
      fault:
        'keep-alive connections with a request in 50 s each, over as many processes as the limit of open files asks for',
      times: held,
      device: `${held} of ${CONNECTIONS} at ${brokers.length} ${brokers.length === 1 ? 'process' : 'processes'} with at most ${filesPerProcess} open files each: ${kibibytesEach.toFixed(1)} KiB resident for each connection; slowest poll of a pending code meanwhile ${Math.ceil(slowestMs)} ms, without them ${Math.ceil(slowestBeforeMs)} ms`,
      person: 'nothing',
      recovery: 'nothing to do',
    });
    expect(held).toBeGreaterThan(CONNECTIONS * 0.99);
    expect(kibibytesEach).toBeLessThan(30);
    expect(slowestMs).toBeLessThan(3000);
  } finally {
    await Promise.all(holders.map((holder) => holder.release()));
    await Promise.all(brokers.map((broker) => broker.stop('SIGKILL')));
    await redis.stop();
  }
});

/** The limit of this process and those that it starts, raised where root may do that. */
async function openFilesLimit(wanted: number): Promise<number> {
  const limit = async () => Number((await run('sh', ['-c', 'ulimit -n'])).stdout);
  if ((await limit()) >= wanted) return limit();
  await run('prlimit', [`--nofile=${wanted}:${wanted}`, '--pid', `${process.pid}`]).catch(() => undefined);
  return limit();
}

async function residentBytes(brokers: readonly BrokerProcess[]): Promise<number> {
  const texts = await Promise.all(brokers.map(async ({ operations }) => (await fetch(`${operations}/metrics`)).text()));
  return texts.reduce((sum, text) => sum + Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]), 0);
}

async function slowestPoll(device: TestDevice, code: string): Promise<number> {
  let slowestMs = 0;
  const until = performance.now() + POLLS_FOR_MS;
  while (performance.now() < until) {
    const sentAt = performance.now();
    const { status } = await device.poll(code);
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    expect(status).toBe(400);
    await delay(50);
  }
  return slowestMs;
}
