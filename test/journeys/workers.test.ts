import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { type DeviceStory, KeepAliveDevice } from '../support/broker/keep-alive-device.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

const UPSTREAM = { issuer: 'http://127.0.0.1:1' };
const DEVICES = 12;

let redis: TestRedis;
let broker: BrokerProcess;
let yaml: Record<string, unknown>;
beforeAll(async () => {
  redis = await startRedisServer();
  const environment = {
    ...(await sharedSecrets()),
    UPSTREAM_SECRET: 'upstream-secret-0000000000000000',
    REDIS_PASSWORD: LEAST_USER.password.reveal(),
  };
  const access = { username: LEAST_USER.username, password: { env: 'REDIS_PASSWORD' } };
  yaml = brokerYaml(UPSTREAM, {
    ...{ workers: 2, drain: '1s' },
    storage: { driver: 'redis', redis: { url: redis.url, ...access } },
  });
  broker = await startBrokerProcess({ yaml, environment });
}, 90_000);
afterAll(async () => {
  await broker.stop('SIGKILL');
  await redis.stop();
});

const pidsOf = (event: string): number[] =>
  broker.lines.filter((line) => line.event === event).map((line) => Number(line['pid']));

async function untilLogged(event: string, count: number): Promise<void> {
  const have = () => broker.lines.filter((line) => line.event === event).length;
  await expect.poll(have, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
}

async function metricsNow(): Promise<string> {
  return (await fetch(`${broker.operations}/metrics`)).text();
}

/** The sum over all labels. */
function sumOf(metrics: string, name: string): number {
  const rows = metrics.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return rows.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(' ') + 1)), 0);
}

let pollsSoFar = 0;
/** Devices that poll on connections of their own while something happens. */
async function whilePolling(happen: () => Promise<void>): Promise<DeviceStory[]> {
  const isOver = new AbortController();
  const stories: Promise<DeviceStory>[] = [];
  for (let n = 0; n < DEVICES; n += 1) {
    const device = new KeepAliveDevice(broker.origin);
    const { deviceCode } = await device.start();
    stories.push(device.poll(deviceCode, 1000 + n * 10, isOver.signal));
  }
  await happen();
  await delay(1200);
  isOver.abort();
  const told = await Promise.all(stories);
  pollsSoFar += told.reduce((sum, { polls }) => sum + polls, 0);
  return told;
}
const troublesOf = (stories: DeviceStory[]): string[] => stories.flatMap(({ troubles }) => troubles);

describe('a broker of two workers', { timeout: 90_000 }, () => {
  it('is ready once, when both serve, and serves on one port', async () => {
    expect(broker.said()).toBe(`Gatehouse is ready at ${broker.origin}\n`);
    // Their lines come by a pipe of their own, which may be later than the word that they serve.
    await untilLogged('worker.started', 2);
    expect(new Set(pidsOf('worker.started')).size).toBe(2);
    await broker.logged('process.started');
    expect(pidsOf('process.started')).toEqual([broker.child.pid]);
    const ready = await fetch(`${broker.operations}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
  });

  it('SIGHUP replaces both under polls; none is lost, and the figures of all are told as one', async () => {
    const before = pidsOf('worker.started');
    const stories = await whilePolling(async () => {
      broker.child.kill('SIGHUP');
      await broker.logged('workers.replaced', undefined, 60_000);
      await untilLogged('worker.started', 4);
      // Those before go when their last connection has closed.
      await expect.poll(() => before.filter(isAlive), { timeout: 20_000 }).toEqual([]);
    });
    expect(troublesOf(stories)).toEqual([]);
    expect(new Set(pidsOf('worker.started')).size).toBe(4);
    expect(pidsOf('worker.lost')).toEqual([]);

    const metrics = await metricsNow();
    expect(sumOf(metrics, 'gatehouse_polls_total')).toBe(pollsSoFar);
    expect(sumOf(metrics, 'gatehouse_device_authorizations_total')).toBe(DEVICES);
    // What concerns all alike, or one alone, is no sum.
    expect(sumOf(metrics, 'gatehouse_pending_grants')).toBe(DEVICES);
    expect(sumOf(metrics, 'gatehouse_build_info')).toBe(1);
    expect(sumOf(metrics, 'gatehouse_config_reload_success')).toBe(1);
    expect(sumOf(metrics, 'gatehouse_workers')).toBe(2);
    const startedAt = sumOf(metrics, 'process_start_time_seconds');
    expect(Math.abs(startedAt - Date.now() / 1000)).toBeLessThan(600);
    expect(metrics.match(/^# TYPE gatehouse_polls_total/gm)).toHaveLength(1);
    const status = await fetch(`${broker.operations}/status`);
    expect([status.status, await status.text()]).toEqual([200, expect.stringContaining('Gatehouse')]);
  });

  it('replaces one that was killed; the other serves meanwhile, and no figure falls', async () => {
    const [killed = 0, other = 0] = pidsOf('worker.started').filter(isAlive);
    const counted = sumOf(await metricsNow(), 'gatehouse_polls_total');
    const stories = await whilePolling(async () => {
      await delay(1100);
      process.kill(killed, 'SIGKILL');
      await untilLogged('worker.started', 5);
    });
    const lost = await broker.logged('worker.lost');
    expect([lost['pid'], lost['detail'], lost['seconds']]).toEqual([killed, 'SIGKILL', 0]);
    expect(pidsOf('worker.started')).toContain(other);
    // Only a connection to the killed one may have broken, and only under a poll.
    for (const trouble of troublesOf(stories)) expect(trouble).toMatch(/^0 connection: /);
    expect(stories.filter(({ troubles }) => troubles.length === 0).length).toBeGreaterThanOrEqual(DEVICES / 3);
    expect((await fetch(`${broker.operations}/readyz`)).status).toBe(200);
    const metrics = await metricsNow();
    expect(sumOf(metrics, 'gatehouse_workers_ended_total')).toBe(1);
    expect(sumOf(metrics, 'gatehouse_workers')).toBe(2);
    expect(sumOf(metrics, 'gatehouse_polls_total')).toBeGreaterThanOrEqual(counted);
  });

  it('a change that a process can take replaces none; one that it cannot replaces them', async () => {
    const before = pidsOf('worker.started').length;
    const reloads = pidsOf('config.reloaded').length;
    await broker.writeConfig({ ...yaml, pages: { title: 'Another' } });
    await untilLogged('config.reloaded', reloads + 1);
    expect(await (await fetch(`${broker.origin}/device`)).text()).toContain('Another');
    expect(pidsOf('worker.started')).toHaveLength(before);

    await broker.writeConfig({ ...yaml, compatibility: { authlete: true } });
    await untilLogged('worker.started', before + 2);
    await expect.poll(async () => (await fetch(`${broker.origin}/api/device/authorization`)).status).not.toBe(404);
    expect(broker.lines.filter(({ event }) => event === 'config.restart_needed')).toEqual([]);
  });

  it('a broken file leaves all as it is, and also one that is replaced meanwhile', async () => {
    const started = pidsOf('worker.started');
    await broker.writeConfig('public_url: nowhere');
    await broker.logged('config.refused');
    process.kill(started.at(-1) ?? 0, 'SIGKILL');
    await untilLogged('worker.started', started.length + 1);
    expect((await fetch(`${broker.origin}/jwks`)).status).toBe(200);
    await broker.writeConfig(yaml);
  });

  it('SIGTERM drains all and ends with 0, also where each process gets it, one starts, and SIGHUP comes too', async () => {
    const lost = pidsOf('worker.lost').length;
    process.kill(pidsOf('worker.started').filter(isAlive)[0] ?? 0, 'SIGKILL');
    await untilLogged('worker.lost', lost + 1);
    const running = pidsOf('worker.started').filter(isAlive);
    expect(running.length).toBeGreaterThanOrEqual(1);
    for (const pid of running) process.kill(pid, 'SIGTERM');
    const isDraining = broker.logged('process.draining');
    const askedAtMs = Date.now();
    const stopped = broker.stop('SIGTERM');
    await isDraining;
    broker.child.kill('SIGHUP');
    expect((await fetch(`${broker.operations}/readyz`)).status).toBe(503);
    const jwks = await fetch(`${broker.origin}/jwks`);
    expect([jwks.status, jwks.headers.get('connection')]).toEqual([200, 'close']);
    expect(await stopped).toBe(0);
    // None had to be killed, 15 s after the drain.
    expect(Date.now() - askedAtMs).toBeLessThan(14_000);
    expect(running.filter(isAlive)).toEqual([]);
    expect(broker.said()).toBe(`Gatehouse is ready at ${broker.origin}\n`);
    expect(broker.noise).toEqual([]);
    expect(broker.lines.filter(({ event }) => event === 'process.fault')).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
