/**
 * The benchmark: everything in one run on one machine, each subject alone on it, and only ratios or own limits as
 * results. `npm run bench` writes `bench/results.md`; `-- --quick` takes a tenth of the time and writes nothing.
 * Loads go to loopback, are bounded in time, and no test of the suite measures time.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CapacityRow, capacityRows, memoryBytesPerGrant, startCosts } from './capacity.ts';
import type { Measurement } from './measure.ts';
import { millionDevices } from './million-devices.ts';
import { bytesRow, pollRows, type Row, scaleRows, throughputRows } from './poll-rows.ts';
import { startRedis } from './redis-server.ts';
import { type RefreshCost, refreshRows } from './refresh-rows.ts';
import { sessionBytesRow } from './session-bytes.ts';
import { signInRows } from './sign-in-rows.ts';
import { type WorkerCost, workerRows } from './worker-rows.ts';

const RESULTS = fileURLToPath(new URL('../../../bench/results.md', import.meta.url));

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const seconds = values.quick ? 2 : 10;

const redis = await startRedis();
const rows: Row[] = [];
const measurements: Measurement[] = [];
const capacity: CapacityRow[] = [];
const refreshes: RefreshCost[] = [];
const workers: WorkerCost[] = [];
let million = '';
try {
  const polls = await pollRows(redis, seconds);
  say(polls.rows);
  const throughput = await throughputRows(redis, seconds);
  say(throughput.rows);
  measurements.push(...polls.measurements, ...throughput.measurements);
  const ofWorkers = await workerRows(redis, seconds);
  say(ofWorkers.rows);
  workers.push(...ofWorkers.costs);
  say(await scaleRows(redis, values.quick ? [1000, 50_000] : [1000, 100_000, 1_000_000], seconds));
  say([await bytesRow(redis)]);
  const sessionBytes = await sessionBytesRow(redis, values.quick ? [0, 1, 100] : [0, 1, 100, 4320]);
  say([sessionBytes]);
  const starts = await startCosts(redis, seconds);
  await redis.flush();
  const rounds = values.quick
    ? { warmUp: 20, measured: 20, idleSeconds: 6 }
    : { warmUp: 100, measured: 100, idleSeconds: 61 };
  const signIns = await signInRows(rounds, redis);
  say(signIns.rows);
  const refreshed = await refreshRows(
    redis,
    values.quick ? { warmUp: 50, measured: 20 } : { warmUp: 200, measured: 60 },
  );
  say(refreshed.rows);
  refreshes.push(...refreshed.costs);
  million = millionDevices({
    refreshes: refreshed.kinds,
    pollMicroseconds:
      throughput.measurements.find(({ name }) => name === 'Gatehouse, Redis')?.cpuMicrosecondsPerRequest ?? 0,
    signInMs: signIns.costs.find(({ name }) => name === 'Redis')?.signInAtOnceMs ?? 0,
    signInCommands: signIns.commands,
    sessionBytes: Math.max(...sessionBytes.measured.split(', ').map(Number)),
  });
  capacity.push(...capacityRows(throughput.measurements, starts, signIns.costs));
} finally {
  await redis.stop();
}
const memoryBytes = await memoryBytesPerGrant();

const text = report();
process.stdout.write(`\n${text}`);
if (!values.quick) writeFileSync(RESULTS, text);

function say(found: readonly Row[]): void {
  rows.push(...found);
  for (const { what, measured, toReach, isReached } of found) {
    process.stderr.write(`${isReached ? 'reached' : 'MISSED '}  ${what}: ${measured} (${toReach})\n`);
  }
}

function report(): string {
  const redisVersion = execFileSync('redis-server', ['--version'])
    .toString()
    .match(/v=(\S+)/)?.[1];
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  return `# What the benchmark measured

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Machine: ${machine}; Node ${process.version}, Redis ${redisVersion}.
Absolute times differ from machine to machine; the ratios and limits are what counts.

| what | measured | to reach | |
| --- | --- | --- | --- |
${rows.map((row) => `| ${row.what} | ${row.measured} | ${row.toReach} | ${row.isReached ? 'reached' : '**missed**'} |`).join('\n')}

How: a subject runs alone in its process and is loaded over loopback by another, with 64 keep-alive connections. CPU is what
the server's process used, by its own account, per request that was answered. For the ratios against bare handlers all
subjects get the same offered load and the same bytes, are measured in turns, and the best turn of each counts. "requests/s" is a
closed loop. Gatehouse runs with the flag of V8 that it sets for itself (docs/decisions/0009), the others as Node has it.
Each of 20,000 grants is polled no more often than its interval, so that every poll is counted.

One process, as many as it can do; per core and second is reckoned from the processor time of one:

| what | CPU | per core and second |
| --- | --- | --- |
${capacity.map(({ what, microseconds }) => `| ${what} | ${inWords(microseconds)} | ${perSecond(1e6 / microseconds)} |`).join('\n')}

A pending grant takes ${Math.round(memoryBytes)} bytes of the process on the memory driver.

A refresh, warmed, the best of ten turns, by processor time of its process:

| what | eight at once | one at a time | commands to Redis |
| --- | --- | --- | --- |
${refreshes.map(({ name, atOnceMs, aloneMs, commands }) => `| ${name} | ${atOnceMs.toFixed(2)} ms | ${aloneMs.toFixed(2)} ms | ${commands} |`).join('\n')}

${million}

Pending polls at a broker on Redis, by the number of its processes that answer; the requests are a closed loop, and load and Redis are on the same cores:

| workers | CPU of all processes, at the same offered load | requests/s |
| --- | --- | --- |
${workers.map((one) => `| ${one.workers} | ${one.cpuMicroseconds.toFixed(1)} µs | ${perSecond(one.perSecond)} |`).join('\n')}

| subject | CPU per request | requests/s | p50 | p99 | memory |
| --- | --- | --- | --- | --- | --- |
${measurements.map(line).join('\n')}
`;
}

function inWords(microseconds: number): string {
  return microseconds < 1000 ? `${microseconds.toFixed(1)} µs` : `${(microseconds / 1000).toFixed(1)} ms`;
}

function perSecond(count: number): string {
  return Math.round(count).toLocaleString('en');
}

function line(one: Measurement): string {
  const memory = `${Math.round(one.rssBytes / 1e6)} MB`;
  return `| ${one.name} | ${one.cpuMicrosecondsPerRequest.toFixed(1)} µs | ${perSecond(one.requests / one.seconds)} | ${one.p50.toFixed(2)} ms | ${one.p99.toFixed(2)} ms | ${memory} |`;
}
