/**
 * `gatehouse init`: a first configuration. It comes of a few answers and of what the provider publishes; whatever is there
 * already stays as it is.
 */

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { formatProblem } from '../../config/config-error.ts';
import { configFile, newConfigFile, processEnvironment } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { metadataFindings } from '../../upstream/probe/metadata-findings.ts';
import type { AnswerInput } from '../admin/ask.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { readArguments, tooMuch, UsageError } from '../read-arguments.ts';
import { initTable } from '../tables/init-table.ts';
import { printableLines } from '../terminal/printable.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { openAsker, StoppedError } from './asker.ts';
import { gatherAnswers, type InitAnswers, InitError, judgeValues, whatToRegister } from './init-answers.ts';
import { type WrittenFiles, writeFirstFiles } from './write-first-files.ts';

const INTERRUPTED = 130;

/** `gatehouse init`; answers the exit code. */
export async function run(argv: string[], input: AnswerInput = process.stdin): Promise<number> {
  const { values, operands } = readArguments(initTable, argv);
  if (operands.length > 0) throw new UsageError(tooMuch(operands[0]));
  const isAsking = input.isTTY === true && values.yes !== true;
  judgeValues(values, isAsking);
  const file = newConfigFile(values.config);
  if (existsSync(file)) {
    const advice = 'gatehouse check says whether it is good, --config FILE names another place';
    complain('init', `${resolve(file)} is there already, and was left as it is; ${advice}`);
    return EXIT.failed;
  }
  const asker = isAsking ? openAsker(input) : undefined;
  try {
    const answers = await gatherAnswers(values, asker);
    const written = await writeFirstFiles(file, answers, { ca: values.ca, proxy: values.proxy });
    await report(file, answers, written, isAsking);
    return EXIT.done;
  } catch (error) {
    if (error instanceof StoppedError) {
      process.stderr.write('\nNothing was written.\n');
      return error.isInterrupted ? INTERRUPTED : EXIT.failed;
    }
    if (!(error instanceof InitError)) throw error;
    complain('init', `${error.message}\nNothing was written.`);
    return EXIT.failed;
  } finally {
    asker?.close();
  }
}

/** What was done, what to register, and the commands that come next. */
async function report(
  file: string,
  answers: InitAnswers,
  { made, kept }: WrittenFiles,
  isTold: boolean,
): Promise<void> {
  const config = await loadConfig(file);
  const [settings] = config.upstreams;
  const findings = settings === undefined ? [] : metadataFindings(answers.metadata, settings, config.publicUrl);
  const toLookAt = [
    ...config.warnings.map(formatProblem),
    ...findings.filter(({ level }) => level === 'wrong').map(({ text }) => `at the provider: ${text}`),
  ];
  const say = (...lines: string[]) => process.stdout.write(`${printableLines(lines.join('\n'))}\n`);
  say(
    '',
    ...made.map((path) => `wrote ${shown(path)}`),
    ...kept.map((path) => `${shown(path)} was there, and is used as it is`),
  );
  if (toLookAt.length > 0) say('', ...toLookAt.map((text) => `to look at: ${text}`));
  if (!isTold) say('', whatToRegister(answers));
  if (answers.redisUrl === undefined && answers.publicUrl.startsWith('https:')) {
    say('', 'Sessions are kept in memory and lost at a restart: storage in the file says how to keep them in Redis.');
  }
  const command = processEnvironment()['npm_command'] === 'exec' ? 'npx gatehouse-broker' : 'gatehouse';
  const option = resolve(configFile(undefined)) === resolve(file) ? '' : ` --config ${shellWord(shown(file))}`;
  say(
    '',
    'When it is registered:',
    `  ${command} check --probe${option}`,
    `  ${command} start${option}`,
    'and in a second terminal, to sign in:',
    `  ${command} login --issuer ${shellWord(answers.publicUrl)} --client-id ${shellWord(answers.client.id)}`,
  );
}

function shown(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith('..') ? resolve(dirname(path), path) : below;
}
