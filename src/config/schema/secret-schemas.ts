import { z } from 'zod';
import { expects, filePath, type Input, KNOWN_KEYS, pattern } from './value-schemas.ts';

const LITERAL =
  'a literal value is refused here, so that no secret stands in this file: write { env: NAME } or { file: PATH }';

/** Where a secret stands: never in the file itself. No message repeats what was found here. */
export function secret() {
  return z.strictObject(secretShape(), { error: wrongSecret('env file') }).refine(hasOnePlace, ONE_PLACE);
}

/** A private key that signs our assertions, and what they say of themselves. */
export function assertionKey(audience: z.ZodType<'issuer' | 'token_endpoint'>, x5t: z.ZodType<boolean>) {
  return z
    .strictObject({ ...secretShape(), audience, x5t }, { error: wrongSecret('env file audience x5t') })
    .refine(hasOnePlace, ONE_PLACE);
}

function secretShape() {
  const name = pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');
  return {
    env: name.optional().meta({ description: 'Name of the environment variable that has the value' }),
    file: filePath()
      .optional()
      .meta({ description: 'File that has the value, relative to this one; a final newline is dropped' }),
  };
}

const wrongSecret = (keys: string) => (issue: Input) => {
  if (issue.code === 'unrecognized_keys') return KNOWN_KEYS + keys;
  if (issue.input === undefined) return 'is missing, expected { env: NAME } or { file: PATH }';
  return typeof issue.input === 'object' ? expects('{ env: NAME } or { file: PATH }')(issue) : LITERAL;
};

const hasOnePlace = (ref: { env?: string | undefined; file?: string | undefined }) =>
  (ref.env === undefined) !== (ref.file === undefined);

const ONE_PLACE = {
  error: 'expected exactly one of env and file: { env: NAME } or { file: PATH }',
  when: ({ issues }: { issues: unknown[] }) => issues.length === 0,
};

export type SecretRef = z.output<ReturnType<typeof secret>>;
