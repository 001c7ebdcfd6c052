import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldResults } from './conformance-scenario.ts';
import { recordField } from './field-page.ts';
import type { OpenPeer, Peer, Scenario } from './peer.ts';
import { PEERS, QUICK } from './peers.ts';
import { NotObtainedError, runningPrograms, stopProgramsExcept } from './program.ts';
import { type PeerReport, printReport, recordReport, type ScenarioReport } from './report.ts';

/**
 * `npm run interop [-- PEER …] [--quick] [--only=WORDS] [--record]`: runs real servers and clients, one at a time, each scenario with a
 * time limit, and prints what went well. Exit 0: all that could be obtained went well. 1: something did not, or nothing
 * could be obtained. `--record`, and a whole run, write the tables of docs/interop.md and docs/conformance-of-the-field.md.
 */
const USAGE = `Usage: npm run interop [-- PEER … | --quick] [--record] [--counts=FILE]

Peers: ${PEERS.map(({ name }) => name).join(' ')}
--quick runs ${QUICK.join(', ')}, without what takes long; --only=WORDS runs the scenarios that begin so; --counts=FILE writes how many passed and failed.
`;

process.exitCode = await main(process.argv.slice(2));
// What a library left open must not keep the run from ending.
setTimeout(() => process.exit(), 2000).unref();

async function main(argv: readonly string[]): Promise<number> {
  const names = argv.filter((arg) => !arg.startsWith('--'));
  const flags = argv.filter((arg) => arg.startsWith('--'));
  const unknown = [
    ...names.filter((name) => !PEERS.some((peer) => peer.name === name)),
    ...flags.filter((flag) => !['--record', '--quick'].includes(flag) && !/^--(counts|only)=/.test(flag)),
  ];
  if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(' ')}\n${USAGE}`);
    return 64;
  }
  const only = flags.find((flag) => flag.startsWith('--only='))?.slice('--only='.length);
  const isChosen = ({ name, isLong }: Scenario) =>
    only === undefined ? isLong !== true || !flags.includes('--quick') : name.startsWith(only);
  const wanted = flags.includes('--quick') ? QUICK : names;
  const chosen = wanted.length === 0 ? PEERS : PEERS.filter(({ name }) => wanted.includes(name));
  stopOnSignals();
  const reports: PeerReport[] = [];
  for (const peer of chosen) {
    reports.push(await runPeer(peer, isChosen));
    if (!flags.includes('--record') && wanted.length > 0) continue;
    // One scenario alone is no row.
    if (only === undefined) await recordReport(reports);
    await recordField([...fieldResults.values()]);
  }
  printReport(reports);
  const went = reports.flatMap(({ scenarios }) => scenarios);
  const passed = went.filter(({ problem }) => problem === undefined).length;
  const failed = went.length - passed + reports.filter(({ failed: broke }) => broke !== undefined).length;
  say(`${passed} passed, ${failed} failed`);
  const counts = flags.find((flag) => flag.startsWith('--counts='))?.slice('--counts='.length);
  if (counts !== undefined) await writeFile(counts, `${passed} ${failed}\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function runPeer(peer: Peer, isChosen: (scenario: Scenario) => boolean): Promise<PeerReport> {
  const report: PeerReport = { peer, version: '', scenarios: [], notObtained: undefined, failed: undefined };
  const before = runningPrograms();
  say(`\n${peer.name} (${peer.from})`);
  let open: OpenPeer | undefined;
  try {
    const began = Date.now();
    open = await within(peer.limitSeconds, peer.open());
    report.version = open.version;
    say(`  ${open.version}: obtained and started in ${seconds(began)}`);
    for (const scenario of open.scenarios.filter(isChosen)) {
      const startedAt = Date.now();
      const running = runningPrograms();
      const outcome: ScenarioReport = { name: scenario.name, problem: undefined, cell: scenario.cell ?? 'yes' };
      try {
        const scene: Promise<unknown> = scenario.run();
        const said = await within(scenario.limitSeconds, scene);
        if (typeof said === 'string') outcome.cell = said;
      } catch (error) {
        outcome.problem = wordsOf(error);
      }
      const kept = running.filter((program) => !program.hasExited());
      if ((await stopProgramsExcept(kept.concat(opened(open)))) > 0) outcome.problem ??= 'a process did not end';
      report.scenarios.push(outcome);
      const how = outcome.problem === undefined ? 'passed' : `FAILED: ${outcome.problem}`;
      say(`  ${scenario.name}: ${how} (${seconds(startedAt)})`);
    }
  } catch (error) {
    if (error instanceof NotObtainedError) report.notObtained = wordsOf(error);
    else report.failed = wordsOf(error);
    say(`  ${report.notObtained === undefined ? 'FAILED' : 'could not be obtained'}: ${wordsOf(error)}`);
  } finally {
    await open?.close().catch((error: unknown) => say(`  at the end: ${wordsOf(error)}`));
    await stopProgramsExcept(before);
  }
  return report;
}

/** A peer may have been restarted within a scenario: what stands for it afterwards is no leftover. */
function opened(open: OpenPeer) {
  return open.keeps?.() ?? [];
}

async function within<T>(limitSeconds: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const limit = delay(limitSeconds * 1000, undefined, { signal: over.signal }).then(() => {
    throw new Error(`not done within ${limitSeconds} s`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
    limit.catch(() => undefined);
    work.catch(() => undefined);
  }
}

function stopOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void stopProgramsExcept([]).then(() => process.exit(130)));
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
