/**
 * Runs the tests under other versions of Node: `npm run test:nodes [-- LINE …] [-- FILE …]`. A line is `22` for its newest
 * release, or a whole version; left out, those of `engines`. `--quick` runs what each of them must do at least, and
 * `--counts=FILE` writes how many of these steps passed and failed.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { bringNode, type NodeRelease, testedLines } from './node-releases.ts';

const ROOT = join(import.meta.dirname, '..');
const MINUTE = 60_000;
const WHOLE_LIMIT_MS = 40 * MINUTE;
const STEP_LIMIT_MS = 2 * MINUTE;

interface Step {
  name: string;
  args: string[];
  limitMs: number;
}

const vitest = (...files: string[]) => [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...files];

/** Start to tokens at a real provider, both drivers' promises, and a device whose person goes through the pages. */
const QUICK: readonly Step[] = [
  { name: 'demo', args: ['--import', 'tsx', 'demo/demo.ts', '--auto'], limitMs: STEP_LIMIT_MS },
  {
    name: 'contract, both drivers',
    args: vitest('test/contract/memory.test.ts', 'test/contract/redis.test.ts'),
    limitMs: STEP_LIMIT_MS,
  },
  { name: 'a whole journey', args: vitest('test/journeys/login-gatehouse.test.ts'), limitMs: STEP_LIMIT_MS },
];

process.exitCode = main(process.argv.slice(2));

function main(words: readonly string[]): number {
  const flags = words.filter((word) => word.startsWith('--'));
  const lines = words.filter((word) => /^\d+(\.\d+\.\d+)?$/.test(word));
  const files = words.filter((word) => !flags.includes(word) && !lines.includes(word));
  const steps = flags.includes('--quick')
    ? QUICK
    : [{ name: 'tests', args: vitest(...files), limitMs: WHOLE_LIMIT_MS }];
  const rows = (lines.length > 0 ? lines : testedLines()).flatMap((line) => under(line, steps));
  const failed = rows.filter(({ passed }) => !passed).length;
  process.stdout.write(`\n${rows.map(({ text }) => text).join('\n')}\n`);
  const counts = flags.find((flag) => flag.startsWith('--counts='))?.slice('--counts='.length);
  if (counts !== undefined) writeFileSync(counts, `${rows.length - failed} ${failed}\n`);
  return failed === 0 ? 0 : 1;
}

interface Row {
  text: string;
  passed: boolean;
}

function under(line: string, steps: readonly Step[]): Row[] {
  let release: NodeRelease;
  try {
    release = bringNode(line);
  } catch (error) {
    return [{ text: `Node ${line}: FAILED to be obtained: ${String(error)}`, passed: false }];
  }
  const { version, folder, doubt } = release;
  if (doubt !== undefined) process.stdout.write(`Node ${version}: ${doubt}\n`);
  // What the tests start by the name `node` is this one too.
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  return steps.map(({ name, args, limitMs }) => {
    process.stdout.write(`\n==> Node ${version}: ${name}\n`);
    const beganMs = performance.now();
    const { status } = spawnSync(join(folder, 'node'), args, { cwd: ROOT, env, stdio: 'inherit', timeout: limitMs });
    const seconds = Math.round((performance.now() - beganMs) / 1000);
    const passed = status === 0;
    return { text: `Node ${version}: ${name}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s`, passed };
  });
}
