import { runLoad } from './load.ts';
import { type Measurement, startSubject } from './measure.ts';
import type { startRedis } from './redis-server.ts';
import type { SignInCosts } from './sign-in-rows.ts';

/** What docs/operations/capacity.md reckons from: processor time of one process for one of each, and so per core. */
export interface CapacityRow {
  what: string;
  microseconds: number;
}

const CONNECTIONS = 64;

/** Device authorization requests, as many as are answered. */
export async function startCosts(
  redis: Awaited<ReturnType<typeof startRedis>>,
  seconds: number,
): Promise<CapacityRow[]> {
  const rows: CapacityRow[] = [];
  for (const [name, more] of [
    ['memory', []],
    ['Redis', [redis.url]],
  ] as const) {
    await redis.flush();
    const running = await startSubject({ name, script: 'gatehouse', arguments: ['1', '1', ...more] });
    const start = {
      ...running.prepared,
      path: '/device_authorization',
      bodies: ['client_id=tv'],
      connections: CONNECTIONS,
    };
    await runLoad({ ...start, seconds: 2 });
    const before = await running.usage();
    const { requests, statuses } = await runLoad({ ...start, seconds });
    const after = await running.usage();
    await running.stop();
    if (statuses['200'] !== requests) throw new Error(`starts were answered with ${JSON.stringify(statuses)}`);
    rows.push({ what: `start, ${name}`, microseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / requests });
  }
  return rows;
}

export function capacityRows(
  polls: readonly Measurement[],
  starts: readonly CapacityRow[],
  costs: readonly SignInCosts[],
): CapacityRow[] {
  const ours = polls.filter(({ name }) => name.startsWith('Gatehouse'));
  return [
    ...ours.map((one) => ({
      what: `pending poll, ${driverOf(one.name)}`,
      microseconds: one.cpuMicrosecondsPerRequest,
    })),
    ...starts,
    ...costs.map(({ name, signInMs }) => ({ what: `whole sign-in, ${name}`, microseconds: signInMs * 1000 })),
    ...costs.map(({ name, refreshMs }) => ({ what: `refresh, ${name}`, microseconds: refreshMs * 1000 })),
  ];
}

const driverOf = (name: string) => name.split(', ')[1] ?? name;

/** What a pending grant takes in the memory of the process, on the memory driver. */
export async function memoryBytesPerGrant(): Promise<number> {
  const heldBy = async (grants: number) => {
    const running = await startSubject({ name: '', script: 'gatehouse', arguments: [String(grants), '1'] });
    const heapBytes = await running.heapBytes();
    await running.stop();
    return heapBytes;
  };
  const many = 200_000;
  return ((await heldBy(many)) - (await heldBy(1))) / many;
}
