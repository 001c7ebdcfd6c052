/**
 * `gatehouse explain`: the story of one sign-in, out of log lines. It reads the log and nothing else.
 */

import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { readArguments, UsageError } from '../read-arguments.ts';
import { explainTable } from '../tables/explain-table.ts';
import { findCause } from './find-cause.ts';
import { findStory, type Line, type ReadLog, type Story } from './find-story.ts';
import { type FoundLine, logLines, STDIN } from './log-lines.ts';
import { tellLine, textOf } from './tell-line.ts';

/** Of what comes by stdin, which can be read only once, that much is kept. */
const MAX_KEPT_CHARACTERS = 256 * 1024 * 1024;

/** `gatehouse explain …`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values, operands } = readArguments(explainTable, argv);
  const [reference, ...more] = operands;
  if (reference === undefined || more.length > 0) throw new UsageError('say one reference');
  const files = values.log ?? [STDIN];
  if (files.includes(STDIN) && process.stdin.isTTY === true) throw new UsageError('say --log FILE, or pipe a log in');
  try {
    const read = files.includes(STDIN) ? await kept(files) : () => logLines(files);
    return tell(reference.trim(), await findEitherCase(read, reference.trim()));
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (error instanceof UsageError || code === undefined) throw error;
    complain('explain', `${path ?? 'the log'} cannot be read: ${message}`);
    return EXIT.failed;
  }
}

/** References have no capitals, and are read out over the telephone; tags have. */
async function findEitherCase(read: ReadLog, reference: string): Promise<Story> {
  const story = await findStory(read, reference);
  return story.asked.length > 0 ? story : findStory(read, reference.toLowerCase());
}

async function kept(files: readonly string[]): Promise<ReadLog> {
  let lines: FoundLine[] = [];
  let characters = 0;
  let dropped = 0;
  for await (const line of logLines(files)) {
    lines.push(line);
    characters += line.text.length;
    if (characters <= MAX_KEPT_CHARACTERS) continue;
    const half = Math.ceil(lines.length / 2);
    dropped += half;
    lines = lines.slice(half);
    characters = lines.reduce((sum, { text }) => sum + text.length, 0);
  }
  if (dropped > 0) complain('explain', `the first ${dropped} lines were too many to keep; use --log FILE`);
  return async function* () {
    yield* lines;
  };
}

function tell(reference: string, story: Story): number {
  const { asked, lines, meanwhile } = story;
  if (asked.length === 0) {
    complain(
      'explain',
      `no line has the reference ${JSON.stringify(textOf(reference))}. Is it the log of that time and of all replicas? What is ` +
        'below log.level is not written, and codes and tokens are in no line.',
    );
    return EXIT.failed;
  }
  const say = (line = '') => process.stdout.write(`${line}\n`);
  const facts = Object.assign({}, ...lines) as Line;
  const about = ['grant', 'client', 'upstream', 'subject', 'session'].filter((field) => facts[field] !== undefined);
  say(`Reference ${textOf(reference)}`);
  if (about.length > 0) say(about.map((field) => `${field} ${textOf(facts[field])}`).join(', '));
  const isReferredTo = ({ requestId }: Line) => requestId === reference || requestId === reference.toLowerCase();
  say('\nWhat happened');
  for (const line of lines) {
    say(`  ${textOf(line['time'])}  ${tellLine(line)}${isReferredTo(line) ? '  <- the reference' : ''}`);
  }
  if (meanwhile.length > 0) {
    say('\nMeanwhile');
    for (const line of meanwhile) say(`  ${textOf(line['time'])}  ${tellLine(line)}`);
  }
  const cause = findCause(story);
  say('\nWhy it stopped');
  if (cause === undefined) {
    const isDone = lines.some(({ event }) => event === 'grant.redeemed');
    say(isDone ? '  It did not: the device got its tokens.' : '  Nothing here stopped it; the log has no more of it.');
    return EXIT.done;
  }
  say(`  ${cause.why}`);
  for (const field of ['detail', 'error']) if (cause.line[field] !== undefined) say(`  ${textOf(cause.line[field])}`);
  say('\nWhat to change');
  say(`  ${cause.change}`);
  return EXIT.done;
}
