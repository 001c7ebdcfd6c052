import { type ParseArgsConfig, parseArgs } from 'node:util';
import { didYouMean } from '../config/schema/did-you-mean.ts';

/** The arguments do not say something that can be done; the message says what is missing. */
export class UsageError extends TypeError {
  override readonly name = 'UsageError';
}

/**
 * `parseArgs` of Node, whose complaints are in our words and name the option that was most likely meant.
 *
 * @throws {UsageError}
 */
export function readArguments<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (!(error instanceof TypeError) || !code.startsWith('ERR_PARSE_ARGS_')) throw error;
    throw new UsageError(complaint(code, error.message, config));
  }
}

function complaint(code: string, message: string, config: ParseArgsConfig): string {
  const known = Object.keys(config.options ?? {});
  // Node's own wording is not the same in all of its versions, so what is wrong is looked for again.
  const { tokens } = parseArgs({ ...config, strict: false, tokens: true });
  for (const token of tokens) {
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && token.kind === 'option' && !isKnown(token.name, config)) {
      return `there is no option ${token.rawName}${hint(token.name, known, '--')}`;
    }
    if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL' && token.kind === 'positional') {
      return `${JSON.stringify(token.value)} is one word too many`;
    }
  }
  const [firstSentence = message] = message.split(/\.\s|\n/);
  return firstSentence;
}

function isKnown(name: string, { options = {}, allowNegative = false }: ParseArgsConfig): boolean {
  return (
    Object.hasOwn(options, name) || (allowNegative && name.startsWith('no-') && Object.hasOwn(options, name.slice(3)))
  );
}

/** What to say behind a word that is none of those that may stand there. */
export function hint(word: string, known: readonly string[], prefix = ''): string {
  const near = didYouMean(word, known);
  return near === undefined ? '' : `; did you mean ${prefix}${near}?`;
}
