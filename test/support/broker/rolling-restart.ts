import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { approve } from '../../../demo/scripted-person.ts';
import { type DeviceStory, KeepAliveDevice } from './keep-alive-device.ts';
import type { Replicas } from './replicas.ts';

export interface RollingRestart {
  polls: number;
  seconds: number;
  /** Devices that got tokens. */
  served: number;
  troubles: string[];
  exitCodes: (number | null)[];
}

/** A device that has its codes and polls: ours, or a real program. */
export interface RollingDevice {
  start(until: AbortSignal): Promise<{ userCode: string; story: Promise<DeviceStory> }>;
}

const INTERVAL_MS = 1000;
const DEVICES = 100;
/** For whoever has been approved and has still no tokens. */
const LATE_MS = 60_000;

/**
 * Replaces every replica, one after the other, while a hundred devices poll on keep-alive connections and people approve:
 * half of the devices before and between the restarts, the other half when all is over. `real` ones are among them.
 */
export async function rollReplicas(replicas: Replicas, real: readonly RollingDevice[] = []): Promise<RollingRestart> {
  const startedAtMs = performance.now();
  const isOver = new AbortController();
  setMaxListeners(DEVICES, isOver.signal);
  const grants: { userCode: string; story: Promise<DeviceStory> }[] = [];
  const every = Math.floor(DEVICES / Math.max(1, real.length));
  for (let n = 0; n < DEVICES; n += 1) {
    const ours = keepAliveDevice(replicas.origin, n % 2 === 0 ? 'once' : 'twice');
    const device = n % every === 0 ? (real[n / every] ?? ours) : ours;
    grants.push(await device.start(isOver.signal));
  }
  const people = grants.map(({ userCode }) => userCode);
  const approveSome = async (count: number): Promise<string[]> => {
    const refused: string[] = [];
    for (const userCode of people.splice(0, count)) {
      const page = await approve(`${replicas.origin}/device`, userCode, 'alice').catch((error: unknown) =>
        String(error),
      );
      const isFine = typeof page !== 'string' && page.url.pathname === '/device/done';
      if (!isFine) refused.push(typeof page === 'string' ? page : `a person: ${page.status} ${page.heading}`);
    }
    return refused;
  };
  const exitCodes: (number | null)[] = [];
  const troubles: string[] = [];
  for (let index = 0; index < replicas.running.length; index += 1) {
    const [code, refused] = await Promise.all([replicas.replace(index), approveSome(Math.floor(DEVICES / 8))]);
    exitCodes.push(code);
    troubles.push(...refused);
  }
  await delay(2 * INTERVAL_MS);
  troubles.push(...(await approveSome(people.length)));
  const late = setTimeout(() => isOver.abort(), LATE_MS);
  const stories = await Promise.all(grants.map(({ story }) => story));
  clearTimeout(late);
  return {
    polls: stories.reduce((sum, { polls }) => sum + polls, 0),
    seconds: (performance.now() - startedAtMs) / 1000,
    served: stories.filter(({ tokens }) => tokens !== undefined).length,
    troubles: [...troubles, ...stories.flatMap((story) => story.troubles)],
    exitCodes,
  };
}

function keepAliveDevice(origin: string, style: 'once' | 'twice'): RollingDevice {
  return {
    async start(until) {
      const device = new KeepAliveDevice(origin, style);
      const { deviceCode, userCode } = await device.start();
      return { userCode, story: device.poll(deviceCode, INTERVAL_MS, until) };
    },
  };
}
