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
import type { Measurement } from './measure.ts';
import { bytesRow, pollRows, type Row, scaleRows, throughputRows } from './poll-rows.ts';
import { startRedis } from './redis-server.ts';
import { signInRows } from './sign-in-rows.ts';

const RESULTS = fileURLToPath(new URL('../../../bench/results.md', import.meta.url));

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const seconds = values.quick ? 2 : 10;

const redis = await startRedis();
const rows: Row[] = [];
const measurements: Measurement[] = [];
try {
  const polls = await pollRows(redis, seconds);
  say(polls.rows);
  const throughput = await throughputRows(redis, seconds);
  say(throughput.rows);
  measurements.push(...polls.measurements, ...throughput.measurements);
  say(await scaleRows(redis, values.quick ? 50_000 : 1_000_000, seconds));
  say([await bytesRow(redis)]);
} finally {
  await redis.stop();
}
say(await signInRows(values.quick ? 20 : 100, values.quick ? 6 : 61));

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
subjects get the same offered load, are measured in turns, and the best turn of each counts. "requests/s" is a closed loop.
Each of 20,000 grants is polled no more often than its interval, so that every poll is counted.

| subject | CPU per request | requests/s | p50 | p99 | memory |
| --- | --- | --- | --- | --- | --- |
${measurements.map(line).join('\n')}
`;
}

function line(one: Measurement): string {
  const perSecond = Math.round(one.requests / one.seconds).toLocaleString('en');
  const memory = `${Math.round(one.rssBytes / 1e6)} MB`;
  return `| ${one.name} | ${one.cpuMicrosecondsPerRequest.toFixed(1)} µs | ${perSecond} | ${one.p50.toFixed(2)} ms | ${one.p99.toFixed(2)} ms | ${memory} |`;
}
