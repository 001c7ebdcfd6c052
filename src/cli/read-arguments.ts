import { type ParseArgsConfig, parseArgs } from 'node:util';
import { didYouMean } from '../config/schema/did-you-mean.ts';
import type { CommandTable, OptionRow, ValuesOf, VerbOf } from './tables/command-table.ts';

/** The arguments do not say something that can be done; the message says what is missing. */
export class UsageError extends TypeError {
  override readonly name = 'UsageError';
}

export interface Arguments<Table extends CommandTable> {
  values: ValuesOf<Table>;
  verb: VerbOf<Table>;
  /** What is neither option nor verb. */
  operands: string[];
}

/**
 * Reads arguments as the command's table has them. Complaints are in our words and name what was most likely meant.
 *
 * @throws {UsageError}
 */
export function readArguments<const Table extends CommandTable>(
  table: Table,
  argv: readonly string[],
): Arguments<Table> {
  const config = configOf(table, argv);
  const { values, positionals } = parsed(config);
  const verbs = table.verbs === undefined ? undefined : Object.keys(table.verbs);
  const [verb = '', ...others] = positionals;
  if (verbs !== undefined && !verbs.includes(verb)) throw new UsageError(`say ${either(verbs)}${hint(verb, verbs)}`);
  for (const [name, value] of Object.entries(values)) judgeOption(name, value, verb, table.options);
  return {
    values: values as ValuesOf<Table>,
    verb: (verbs === undefined ? undefined : verb) as VerbOf<Table>,
    operands: verbs === undefined ? positionals : others,
  };
}

function judgeOption(name: string, value: unknown, verb: string, rows: CommandTable['options']): void {
  const { value: kind = '', choices, of }: OptionRow = rows[name] ?? { about: '' };
  for (const one of Array.isArray(value) ? value : [value]) {
    // An unset variable of a script must not widen what is done.
    if (one === '') throw new UsageError(`--${name} is empty: it needs --${name} ${kind}`);
    if (choices === undefined || choices.includes(one as string)) continue;
    throw new UsageError(`--${name} takes ${choices.join(', ')}${hint(String(one), choices)}`);
  }
  if (of !== undefined && !of.includes(verb)) throw new UsageError(`--${name} is for ${either(of)}`);
}

function configOf(table: CommandTable, argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { value, isRepeated = false }] of Object.entries(table.options)) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: isRepeated };
  }
  const takesWords = table.verbs !== undefined || table.operand !== undefined;
  return { args: withDashes(table, argv), allowPositionals: takesWords, options };
}

/**
 * One of 64 ids begins with a dash, and whoever copies one behind an option, or as the word that the command takes, means
 * it. `parseArgs` would read letters of options, which no command here has. An option that was mistyped is left to be
 * complained about.
 */
function withDashes({ options, operand }: CommandTable, argv: readonly string[]): string[] {
  const known = [...Object.keys(options), 'help', 'version'];
  const isDashed = (word: string) => {
    const name = word.replace(/^--?/, '').split('=', 1)[0] ?? '';
    if (!/^--?[^-]/.test(word) || known.includes(name)) return false;
    return !word.startsWith('--') || didYouMean(name, known) === undefined;
  };
  const end = argv.indexOf('--');
  const [args, behind]: [string[], string[]] = [[], end < 0 ? [] : argv.slice(end + 1)];
  const ids: string[] = [];
  let awaits: string | undefined;
  for (const word of end < 0 ? argv : argv.slice(0, end)) {
    if (awaits !== undefined && isDashed(word)) args[args.length - 1] = `${awaits}=${word}`;
    else if (awaits === undefined && operand?.isId === true && isDashed(word)) ids.push(word);
    else args.push(word);
    awaits =
      word.startsWith('--') && options[word.slice(2)]?.value !== undefined && awaits === undefined ? word : undefined;
  }
  return ids.length + behind.length === 0 && end < 0 ? args : [...args, '--', ...ids, ...behind];
}

function parsed(config: ReturnType<typeof configOf>) {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (!(error instanceof TypeError) || !code.startsWith('ERR_PARSE_ARGS_')) throw error;
    throw new UsageError(complaint(code, error.message, config));
  }
}

function complaint(code: string, message: string, config: ReturnType<typeof configOf>): string {
  const known = Object.keys(config.options);
  // Node's own wording is not the same in all of its versions, so what is wrong is looked for again.
  const { tokens } = parseArgs({ ...config, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && token.kind === 'option' && !known.includes(token.name)) {
      return `there is no option ${token.rawName}${hint(token.name, known, '--')}`;
    }
    if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL' && token.kind === 'positional') {
      return tooMuch(token.value);
    }
  }
  const [firstSentence = message] = message.split(/\.\s|\n/);
  return firstSentence;
}

/** What to say of a word for which there is no place. */
export function tooMuch(word: string | undefined): string {
  return `${JSON.stringify(word)} is one word too many`;
}

/** What to say behind a word that is none of those that may stand there. */
export function hint(word: string, known: readonly string[], prefix = ''): string {
  const near = didYouMean(word, known);
  return near === undefined ? '' : `; did you mean ${prefix}${near}?`;
}

function either(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
