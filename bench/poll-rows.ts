import { runLoad } from './load.ts';
import { type Measurement, measure, startSubject } from './measure.ts';
import type { startRedis } from './redis-server.ts';

export interface Row {
  what: string;
  measured: string;
  toReach: string;
  isReached: boolean;
}

type BenchRedis = Awaited<ReturnType<typeof startRedis>>;

const CONNECTIONS = 64;
/** Below what any subject can do, so that all of them do the same work: at their limits they would batch differently. */
const OFFERED_PER_SECOND = 3000;
const GRANTS = '20000';

/** Each pair is measured this often, in turns, and the best of each is taken: noise only ever adds. */
const TURNS = 3;

/** Pending polls against bare handlers, with the same offered load, by the processor time of the server process. */
export async function pollRows(
  redis: BenchRedis,
  seconds: number,
): Promise<{ rows: Row[]; measurements: Measurement[] }> {
  const round = { seconds, connections: CONNECTIONS, requestsPerSecond: OFFERED_PER_SECOND };
  const subjects = [
    { name: 'bare handler', script: 'bare', arguments: [] },
    { name: 'Gatehouse, memory', script: 'gatehouse', arguments: [GRANTS, GRANTS] },
    { name: 'bare handler, one Redis GET', script: 'bare', arguments: [redis.url] },
    { name: 'Gatehouse, Redis', script: 'gatehouse', arguments: [GRANTS, GRANTS, redis.url] },
  ] as const;
  const best = new Map<string, Measurement>();
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const subject of subjects) {
      await redis.flush();
      const measured = await measure(subject, round);
      const known = best.get(subject.name);
      if (known === undefined || measured.cpuMicrosecondsPerRequest < known.cpuMicrosecondsPerRequest) {
        best.set(subject.name, measured);
      }
    }
  }
  const cpu = (name: string) => best.get(name)?.cpuMicrosecondsPerRequest ?? Number.NaN;
  const onRedis = cpu('Gatehouse, Redis') / cpu('bare handler, one Redis GET');
  const inMemory = cpu('Gatehouse, memory') / cpu('bare handler');
  return {
    measurements: [...best.values()],
    rows: [
      ratio('pending poll on Redis, CPU against a bare handler with one GET', onRedis, 1.25),
      ratio('pending poll in memory, CPU against a bare handler', inMemory, 1.35),
    ],
  };
}

/** As many polls as each answers: one process, 64 connections, each with one request under way. */
export async function throughputRows(
  redis: BenchRedis,
  seconds: number,
): Promise<{ rows: Row[]; measurements: Measurement[] }> {
  const round = { seconds, connections: CONNECTIONS };
  const measurements: Measurement[] = [];
  const bareRedis = { name: 'bare handler, one Redis GET', script: 'bare', arguments: [redis.url] } as const;
  const onRedis = { name: 'Gatehouse, Redis', script: 'gatehouse', arguments: [GRANTS, GRANTS, redis.url] } as const;
  const alone = { seconds, connections: 1 };
  const best = {
    closed: Number.POSITIVE_INFINITY,
    bareClosed: Number.POSITIVE_INFINITY,
    alone: Number.POSITIVE_INFINITY,
    bareAlone: Number.POSITIVE_INFINITY,
  };
  for (let turn = 0; turn < TURNS; turn += 1) {
    await redis.flush();
    const cpu = async (subject: typeof onRedis | typeof bareRedis, load: typeof round) =>
      (await measure(subject, load)).cpuMicrosecondsPerRequest;
    best.bareClosed = Math.min(best.bareClosed, await cpu(bareRedis, round));
    best.closed = Math.min(best.closed, await cpu(onRedis, round));
    best.bareAlone = Math.min(best.bareAlone, await cpu(bareRedis, alone));
    best.alone = Math.min(best.alone, await cpu(onRedis, alone));
  }
  for (const subject of [
    onRedis,
    { name: 'oidc-provider, Redis', script: 'oidc-provider', arguments: ['5000', redis.url] },
    { name: 'Gatehouse, memory', script: 'gatehouse', arguments: [GRANTS, GRANTS] },
    { name: 'oidc-provider, memory', script: 'oidc-provider', arguments: ['500'] },
  ] as const) {
    await redis.flush();
    measurements.push(await measure(subject, round));
  }
  const perSecond = measurements.map(({ requests, seconds: took }) => requests / took);
  const times = (perSecond[0] ?? 0) / (perSecond[1] ?? 1);
  const measured = `${times.toFixed(1)} ×`;
  return {
    measurements,
    rows: [
      {
        what: 'pending polls/s against oidc-provider, both on Redis',
        measured,
        toReach: '≥ 5 ×',
        isReached: times >= 5,
      },
      ratio(
        `pending poll on Redis in a closed loop of ${CONNECTIONS}, CPU against a bare handler with one GET`,
        best.closed / best.bareClosed,
        1.05,
      ),
      // What batching could cost: 1.53 before it, by the same measurement.
      ratio(
        'pending poll on Redis, one at a time, CPU against a bare handler with one GET',
        best.alone / best.bareAlone,
        1.53,
      ),
    ],
  };
}

/** What a poll costs the server and Redis together, among few, many and very many pending grants. */
export async function scaleRows(
  redis: BenchRedis,
  counts: readonly [number, ...number[]],
  seconds: number,
): Promise<Row[]> {
  const [few] = counts;
  const costs: number[] = [];
  for (const grants of counts) {
    await redis.flush();
    const subject = { name: '', script: 'gatehouse', arguments: [String(grants), String(few), redis.url] } as const;
    const running = await startSubject(subject);
    const load = { ...running.prepared, connections: CONNECTIONS, requestsPerSecond: few * 0.9 };
    await runLoad({ ...load, seconds: 3 });
    const before = { ...(await running.usage()), redis: await redis.cpuSeconds() };
    const { requests } = await runLoad({ ...load, seconds });
    const after = { ...(await running.usage()), redis: await redis.cpuSeconds() };
    costs.push((after.cpuMicroseconds - before.cpuMicroseconds + (after.redis - before.redis) * 1e6) / requests);
    await running.stop();
  }
  return counts.slice(1).map((many, index) => {
    const what = `cost of a poll among ${many.toLocaleString('en')} pending grants against ${few.toLocaleString('en')}`;
    return ratio(what, (costs[index + 1] ?? Number.NaN) / (costs[0] ?? Number.NaN), 1.1);
  });
}

/** What a pending grant that has been polled takes in Redis: index, grant and pace. */
export async function bytesRow(redis: BenchRedis): Promise<Row> {
  await redis.flush();
  const grants = 20_000;
  const empty = await redis.usedBytes();
  const running = await startSubject({
    name: '',
    script: 'gatehouse',
    arguments: [String(grants), String(grants), redis.url],
  });
  await runLoad({ ...running.prepared, connections: CONNECTIONS, seconds: 8, requestsPerSecond: 5000 });
  const bytes = ((await redis.usedBytes()) - empty) / grants;
  await running.stop();
  return {
    what: 'bytes in Redis for a pending grant (index, grant, pace)',
    measured: bytes.toFixed(0),
    toReach: '≤ 700',
    isReached: bytes <= 700,
  };
}

function ratio(what: string, times: number, most: number): Row {
  return { what, measured: `${times.toFixed(2)} ×`, toReach: `≤ ${most} ×`, isReached: times <= most };
}
