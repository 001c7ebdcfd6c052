import { startBroker } from './broker-process.ts';
import { type LoadResult, runLoad } from './load.ts';
import type { Row } from './poll-rows.ts';
import { freePort, type startRedis } from './redis-server.ts';
import { pollBody } from './subjects/subject.ts';

type BenchRedis = Awaited<ReturnType<typeof startRedis>>;

const CONNECTIONS = 64;
const GRANTS = 2500;
/** Below what one process can do on a core that it shares with the load, and no grant more often than its interval. */
const OFFERED_PER_SECOND = 2000;
const TURNS = 3;
const AT_ONCE = 20;

/** Of a broker as it is run, whatever its processes: the time of all of them counts. */
export interface WorkerCost {
  workers: number;
  cpuMicroseconds: number;
  /** In a closed loop, on the cores that are left by the load and Redis. */
  perSecond: number;
}

/** The same polls at one process and at two workers, in turns; the best of each is taken. */
export async function workerRows(redis: BenchRedis, seconds: number): Promise<{ rows: Row[]; costs: WorkerCost[] }> {
  const costs = [1, 2].map((workers) => ({ workers, cpuMicroseconds: Number.POSITIVE_INFINITY, perSecond: 0 }));
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const cost of costs) {
      await redis.flush();
      const { cpuMicroseconds, closed } = await pollsOf(cost.workers, redis.url, seconds);
      cost.cpuMicroseconds = Math.min(cost.cpuMicroseconds, cpuMicroseconds);
      cost.perSecond = Math.max(cost.perSecond, closed.requests / closed.seconds);
    }
  }
  const [one, two] = costs.map(({ cpuMicroseconds }) => cpuMicroseconds) as [number, number];
  return {
    costs,
    rows: [
      {
        what: 'pending poll at two workers, CPU of all processes against one process',
        measured: `${(two / one).toFixed(2)} ×`,
        // Each does half of the work in turns as many, so less of it goes at once.
        toReach: '≤ 1.3 ×',
        isReached: two / one <= 1.3,
      },
    ],
  };
}

async function pollsOf(workers: number, redisUrl: string, seconds: number) {
  const port = await freePort();
  const broker = await startBroker({ port, issuer: 'http://127.0.0.1:9', redisUrl, workers });
  try {
    const bodies: string[] = [];
    while (bodies.length < GRANTS) {
      const started = await Promise.all(Array.from({ length: AT_ONCE }, () => broker.start()));
      bodies.push(...started.map((code) => pollBody(code)));
    }
    const load = { port, path: '/token', bodies, connections: CONNECTIONS };
    await runLoad({ ...load, seconds: 3 });
    const before = broker.cpuMs();
    const { requests } = await runLoad({ ...load, seconds, requestsPerSecond: OFFERED_PER_SECOND });
    const cpuMicroseconds = ((broker.cpuMs() - before) * 1000) / requests;
    const closed: LoadResult = await runLoad({ ...load, seconds });
    return { cpuMicroseconds, closed };
  } finally {
    await broker.stop();
  }
}
