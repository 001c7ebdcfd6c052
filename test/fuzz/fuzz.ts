import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startFuzzedBroker } from './fuzzed-broker.ts';
import { runFuzz } from './run-fuzz.ts';

const USAGE = `Usage: npm run fuzz -- [--requests N] [--seed N]

Sends N hostile requests (default 100000) to a broker of its own on loopback, and judges each answer.
A seed that finds something is added to test/fuzz/seeds.txt, whose seeds every test run sends again.
`;

const SEEDS = join(import.meta.dirname, 'seeds.txt');
const MEBIBYTE = 1024 * 1024;
/** Design I10: whatever is sent, this is what the broker may take. */
const MAX_RESIDENT_BYTES = 600 * MEBIBYTE;

const options = { requests: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' } } as const;
const { values } = parseArgs({ options });
if (values.help === true) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const requests = Number(values.requests ?? 100_000);
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);

const fuzzed = await startFuzzedBroker();
let mostBytes = 0;
const startedAtMs = performance.now();
process.stdout.write(`${requests} requests, seed ${seed}\n`);
try {
  const result = await runFuzz({
    origin: fuzzed.broker.origin,
    upstream: fuzzed.upstream,
    requests,
    seed,
    onProgress(sent) {
      void fuzzed.residentBytes().then((bytes) => {
        mostBytes = Math.max(mostBytes, bytes);
        if (sent % 20_000 === 0) process.stdout.write(`  ${sent} sent, ${Math.round(bytes / MEBIBYTE)} MiB resident\n`);
      });
    },
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const endBytes = await fuzzed.residentBytes();
  const complaints = fuzzed.complaints();
  const statuses = Object.entries(result.statuses).map(([status, count]) => `${status}: ${count}`);
  process.stdout.write(
    [
      `${result.sent} sent in ${Math.round(seconds)} s`,
      `answers by status: ${statuses.join(', ')}`,
      `resident memory: ${Math.round(mostBytes / MEBIBYTE)} MiB at most, ${Math.round(endBytes / MEBIBYTE)} MiB at the end`,
      `invalid answers: ${result.failures.length}, complaints of the process: ${complaints.length}`,
      '',
    ].join('\n'),
  );
  for (const { problem, request } of result.failures) {
    process.stdout.write(`\n${problem}\n  ${request.slice(0, 2000)}\n`);
  }
  for (const complaint of complaints.slice(0, 10)) process.stdout.write(`\n${complaint.slice(0, 2000)}\n`);
  const isFine = result.failures.length === 0 && complaints.length === 0 && mostBytes < MAX_RESIDENT_BYTES;
  if (!isFine && !(await readFile(SEEDS, 'utf8')).split('\n').includes(String(seed))) {
    await appendFile(SEEDS, `${seed}\n`);
  }
  process.exitCode = isFine ? 0 : 1;
} finally {
  await fuzzed.close();
}
