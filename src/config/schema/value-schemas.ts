import { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';

/**
 * The values that a YAML key may have. Each says itself what was found and what is expected; none of them looks beyond
 * its own value, since a rule between two keys would not run while another key is wrong (see `reading.ts`).
 */
export interface Input {
  readonly code?: string;
  readonly input?: unknown;
}

/** Marks the message of an unknown key: zod's issues do not carry the known ones, so they travel in the message. */
export const KNOWN_KEYS = 'known keys: ';

export function found(value: unknown): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'found nothing';
  if (Array.isArray(value)) return 'found a list';
  if (typeof value === 'object') return 'found a section';
  const text = JSON.stringify(value);
  return `found ${text.length > 60 ? `${text.slice(0, 56)}…"` : text}`;
}

export const expects =
  (expected: string) =>
  (issue: Input): string =>
    `${found(issue.input)}, expected ${expected}`;

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, expected?: string) {
  const keys = Object.keys(shape);
  const names = keys.length > 6 ? `${keys.slice(0, 5).join(', ')} …` : keys.join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? KNOWN_KEYS + keys.join(' ')
        : expects(expected ?? `a section with the keys ${names}`)(issue),
  });
}

export function entries<Value extends z.ZodType>(id: z.ZodType<string, string>, value: Value, expected: string) {
  return z.record(id, value, { error: expects(expected) });
}

export function text(expected: string, { longest = 200 } = {}) {
  const error = expects(expected);
  return z
    .string({ error })
    .check(
      z.minLength(1, { error }),
      z.maxLength(longest, { error: `found more than ${longest} characters, expected fewer` }),
      z.regex(/^[^\p{Cc}\u2028\u2029]*$/u, { error: `found a control character, expected ${expected}` }),
    );
}

export function pattern(regex: RegExp, expected: string) {
  return z.string({ error: expects(expected) }).regex(regex, { error: expects(expected) });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: expectsOneOf(values) });
}

export const expectsOneOf =
  (values: readonly string[], otherwise = '') =>
  ({ input }: Input): string => {
    const near = typeof input === 'string' ? didYouMean(input, values) : undefined;
    const names = values.length === 1 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
    return `${expects(names + otherwise)({ input })}${near === undefined ? '' : `; did you mean ${near}?`}`;
  };

export function list<Item extends z.ZodType>(item: Item, expected: string) {
  return z.array(item, { error: expects(`a list of ${expected}`) });
}

export const yesOrNo = () => z.boolean({ error: expects('true or false') });

export function wholeNumber(least: number, most: number) {
  const error = expects(`a whole number from ${least} to ${most}`);
  return z.int({ error }).check(z.gte(least, { error }), z.lte(most, { error }));
}

export function wholeNumberOr<const Word extends string>(word: Word, least: number, most: number) {
  const error = expects(`a whole number from ${least} to ${most}, or ${word}`);
  return z.union([z.literal(word), z.int().check(z.gte(least, { error }), z.lte(most, { error }))], { error });
}

/** Written with a unit, kept in seconds. */
export function duration(least: string, most: string) {
  const [leastSeconds = 0, mostSeconds = 0] = [parseDuration(least), parseDuration(most)];
  const form = 'a duration such as 90s, 10m, 12h or 30d';
  return pattern(DURATION_PATTERN, form).transform((written, context) => {
    const seconds = parseDuration(written) ?? 0;
    if (seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
    const range = `a duration from ${formatDuration(leastSeconds)} to ${formatDuration(mostSeconds)}`;
    context.issues.push({ code: 'custom', input: written, message: expects(range)({ input: written }) });
    return z.NEVER;
  });
}

/** RFC 6749 §3.3 */
export const scope = () => pattern(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope: printable characters without spaces');

export const filePath = () => text('the path of a file, relative to this one', { longest: 4096 });
