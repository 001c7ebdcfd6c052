import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { type DeviceStory, KeepAliveDevice } from '../support/broker/keep-alive-device.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import { record, summed } from './fault-row.ts';
import { sizeOf } from './sizes.ts';

const TIMES = sizeOf('ROLLING_TIMES');
const DEVICES = 40;
const INTERVAL_MS = 1000;

/** A device that begins anew at a lost connection, and counts those; nothing else may go wrong. */
async function pollToTheEnd(origin: string, until: AbortSignal) {
  let lost = 0;
  const { deviceCode, userCode } = await new KeepAliveDevice(origin).start();
  const story = async (): Promise<DeviceStory & { lost: number }> => {
    for (;;) {
      const told = await new KeepAliveDevice(origin).poll(deviceCode, INTERVAL_MS, until);
      const isCut = told.troubles.length === 1 && told.troubles[0]?.startsWith('0 connection: ');
      if (isCut !== true) return { ...told, lost };
      lost += 1;
    }
  };
  return { userCode, story: story() };
}

it.each([
  ['one of two workers is killed', (pid: number) => process.kill(pid, 'SIGKILL'), 'worker.lost', 2],
  [
    'SIGHUP replaces both workers',
    (_pid: number, broker: BrokerProcess) => broker.child.kill('SIGHUP'),
    'workers.replaced',
    3,
  ],
] as const)('%s under polls and approvals', async (fault, befall, event, startedThen) => {
  const redis = await startRedisServer();
  const upstream = await startFakeUpstream();
  const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret };
  const storage = { driver: 'redis', redis: { url: redis.url } };
  const yaml = brokerYaml(upstream, { workers: 2, storage });
  const broker = await startBrokerProcess({ yaml, environment, program: '.cache/faults/src/main.js' });
  const started = () => broker.lines.filter((line) => line.event === 'worker.started').map(({ pid }) => Number(pid));
  const seconds: number[] = [];
  const stories: (DeviceStory & { lost: number })[] = [];
  try {
    for (let time = 0; time < TIMES; time += 1) {
      const isOver = new AbortController();
      const devices = await Promise.all(
        Array.from({ length: DEVICES }, () => pollToTheEnd(broker.origin, isOver.signal)),
      );
      await delay(INTERVAL_MS);
      const [before, beganAtMs] = [started().length, performance.now()];
      befall(started().at(-1) ?? 0, broker);
      await expect.poll(() => started().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(before + startedThen - 1);
      await expect
        .poll(() => broker.lines.filter((line) => line.event === event).length, { timeout: 60_000 })
        .toBeGreaterThan(time);
      seconds.push((performance.now() - beganAtMs) / 1000);
      for (const { userCode } of devices) await approve(`${broker.origin}/device`, userCode, 'alice');
      const late = setTimeout(() => isOver.abort(), 60_000);
      stories.push(...(await Promise.all(devices.map(({ story }) => story))));
      clearTimeout(late);
    }
  } finally {
    await broker.stop('SIGKILL');
    await redis.stop();
    await upstream.close();
  }
  const polls = stories.reduce((sum, { polls: of }) => sum + of, 0);
  const lost = stories.reduce((sum, { lost: of }) => sum + of, 0);
  const served = stories.filter(({ tokens }) => tokens !== undefined).length;
  const troubles = stories.flatMap((story) => story.troubles);
  record({
    group: 'Workers',
    fault: `${fault} under ${DEVICES} devices`,
    times: TIMES,
    device: `${served} of ${TIMES * DEVICES} devices got their tokens; of ${polls} polls ${lost} met a connection that was cut`,
    person: troubles.length === 0 ? 'nothing' : summed(troubles),
    recovery: `both serve after ${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)} s`,
    ...(troubles.length > 0 && { violations: troubles }),
  });
  expect(troubles).toEqual([]);
  expect(served).toBe(TIMES * DEVICES);
  if (event === 'workers.replaced') expect(lost).toBe(0);
});
