import {
  type ChainFindings,
  type ChainReport,
  createChainVerifier,
  type LogPlace,
} from '../telemetry/audit/chain-verifier.ts';
import { complain } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { logLines, STDIN } from './explain/log-lines.ts';
import { readArguments } from './read-arguments.ts';
import { auditTable } from './tables/audit-table.ts';
import { printableLines } from './terminal/printable.ts';

/** `gatehouse audit …`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values, operands: files } = readArguments(auditTable, argv);
  const verifier = createChainVerifier();
  try {
    for await (const { file, line, text, fields } of logLines(files.length === 0 ? [STDIN] : files)) {
      verifier.read({ file, line }, text, fields);
    }
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    complain('audit', `${path ?? 'the log'} cannot be read: ${message}`);
    return EXIT.failed;
  }
  return report(verifier.end(), values.whole === true);
}

function report({ chains, problems, unwritten, loose }: ChainFindings, isWhole: boolean): number {
  const say = (line: string) => process.stdout.write(`${printableLines(line)}\n`);
  for (const { text, ...place } of [...problems, ...unwritten]) say(`${placeOf(place)}: ${text}`);
  for (const chain of chains) say(describe(chain));
  const [first] = loose;
  if (first !== undefined) {
    const many = loose.length === 1 ? '1 audit line is' : `${loose.length} audit lines are`;
    say(`${many} in no chain, the first in ${placeOf(first)}: from before it was switched on, or put in later`);
  }
  if (chains.length === 0) {
    say('No line of a chain: is audit.chain on?');
    return EXIT.failed;
  }
  const open = chains.filter(({ first: { number }, hasEnded }) => number !== 0 || !hasEnded);
  const wrong = problems.length + (isWhole ? open.length + unwritten.length + loose.length : 0);
  say(wrong === 0 ? 'Nothing was changed or taken out, as far as the chains reach.' : `${wrong} wrong.`);
  return wrong === 0 ? EXIT.done : EXIT.failed;
}

function describe({ id, lines, first, last, hasEnded }: ChainReport): string {
  const begins =
    first.number === 0
      ? `begins at ${placeOf(first)}`
      : `goes on at ${placeOf(first)} (${first.number} lines before it are not in what was read)`;
  const ends = hasEnded
    ? `is ended at ${placeOf(last)}`
    : `has no end after ${placeOf(last)}: the process runs, or was killed, or what followed was cut off`;
  return `chain ${id}, ${lines === 1 ? '1 line' : `${lines} lines`}: ${begins}, ${ends}`;
}

function placeOf({ file, line }: LogPlace): string {
  return `${file === STDIN ? 'stdin' : file}:${line}`;
}
