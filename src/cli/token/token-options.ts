import { parseDuration } from '../../config/schema/duration.ts';
import { UsageError } from '../read-arguments.ts';

const MIN_VALID_MS = 60_000;

/** The variable that gets the token. */
export function readEnvName(name = 'GATEHOUSE_TOKEN'): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new UsageError(`--env-name: ${name} cannot be a variable's name`);
}

/** Several may stand in one option, as in the parameter. */
export function wordsOf(scopes: readonly string[] | undefined): string[] | undefined {
  return scopes?.flatMap((scope) => scope.split(/\s+/)).filter((scope) => scope !== '');
}

export function minValidMs(text: string | undefined): number {
  if (text === undefined) return MIN_VALID_MS;
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--min-valid ${text} is no duration, such as 90s or 10m`);
  return seconds * 1000;
}
