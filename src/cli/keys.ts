import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { configFile } from '../config/environment.ts';
import { dropSigningKey, type RotationStep, rotateSigningKeys } from '../tokens/rotate-signing-keys.ts';
import { formatSigningKeySet, makeSigningKey, parseSigningKeySet } from '../tokens/signing-key-set.ts';
import { complain } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { changePrivateFile, createPrivateFile } from './private-file.ts';
import { readArguments, tooMuch, UsageError } from './read-arguments.ts';
import { keysTable } from './tables/keys-table.ts';

interface Options {
  out?: string | undefined;
  file?: string | undefined;
  config?: string | undefined;
}

/** What the person must do differently; the command ends with it, without a stack. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** `gatehouse keys …`; `argv` begins after `keys`. Answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const command = readCommand(argv);
  if (typeof command === 'string') throw new UsageError(command);
  try {
    return (await command()) ?? EXIT.done;
  } catch (error) {
    complain('keys', reasonOf(error));
    return EXIT.failed;
  }
}

type Command = () => Promise<number | undefined>;

/** For everything that cannot be meant: what is wrong, in words. */
function readCommand(argv: readonly string[]): Command | string {
  const { values, verb, operands } = readArguments(keysTable, argv);
  const { out, file, config } = values;
  const [what = '', ...more] = operands;
  if (what === '') return verb === 'drop' ? 'say which key: drop KID' : `say ${verb} signing or ${verb} sealing`;
  if (more.length > 0) return tooMuch(more[0]);
  const changesFile = verb === 'drop' || (verb === 'rotate' && what === 'signing');
  if (changesFile) {
    if (out !== undefined) return '--out is for a new file; this changes the one that is there';
    if (file !== undefined && config !== undefined) return 'say --file or --config, not both';
    return verb === 'drop' ? () => drop(what, values) : () => rotateSigning(values);
  }
  if (what !== 'signing' && what !== 'sealing') return `say ${verb} signing or ${verb} sealing`;
  if (out === undefined || out === '') return `${verb} ${what} needs --out FILE, a file that is not there yet`;
  if (file !== undefined || config !== undefined) return `${verb} ${what} takes --out alone`;
  if (verb === 'generate' && what === 'signing') return () => generateSigning(out);
  return verb === 'generate' ? () => generateSealing(out) : () => rotateSealing(out);
}

async function generateSigning(out: string): Promise<undefined> {
  const keys = await Promise.all([makeSigningKey('RS256', Date.now()), makeSigningKey('ES256', Date.now())]);
  await createPrivateFile(out, formatSigningKeySet(keys));
  print(
    `Wrote ${resolve(out)}, which only you can read:`,
    ...keys.map(({ alg, kid }) => `  ${alg}  ${kid}`),
    '',
    'Name it in the configuration, and let the user that runs the broker read it:',
    '',
    '  keys:',
    `    signing: ${fileReference(out)}`,
  );
}

async function rotateSigning(options: Options): Promise<number> {
  const path = await signingFile(options);
  let steps: RotationStep[] = [];
  await changePrivateFile(path, async (text) => {
    const rotated = await rotateSigningKeys(parseSigningKeySet(text), Date.now());
    steps = rotated.steps;
    return steps.some(({ step }) => step !== 'too_early') ? formatSigningKeySet(rotated.keys) : undefined;
  });
  const lines = steps.flatMap(explainStep);
  if (steps.every(({ step }) => step === 'too_early')) {
    throw new RefusedError(`nothing was changed\n${lines.join('\n')}`);
  }
  print(`Changed ${path}:`, ...lines, '', RELOAD_HINT);
  return EXIT.done;
}

const RELOAD_HINT =
  'A running broker takes the file over by itself. Other machines that run one need this same file, before the next step.';

function explainStep(step: RotationStep): string[] {
  switch (step.step) {
    case 'appended':
      return [
        `  ${step.alg}  ${step.kid} is new. It is published, but does not sign yet.`,
        `         Run \`gatehouse keys rotate signing\` again at ${timeOf(step.signsFromMs)} or later, and it will.`,
      ];
    case 'promoted':
      return [
        `  ${step.alg}  ${step.kid} signs from now on.`,
        `         ${step.retired} stays published, so that its tokens verify. When the last has expired`,
        `         (the longest \`lifetimes.access_token\`): gatehouse keys drop ${step.retired}`,
      ];
    case 'too_early':
      return [
        `  ${step.alg}  ${step.kid} is not known everywhere yet.`,
        `         Run the command again at ${timeOf(step.signsFromMs)} or later.`,
      ];
  }
}

async function drop(kid: string, options: Options): Promise<number> {
  const path = await signingFile(options);
  const lines: string[] = [];
  await changePrivateFile(path, async (text) => {
    const result = await dropSigningKey(parseSigningKeySet(text), kid, Date.now());
    if (result.outcome === 'unknown') throw new RefusedError(`${path} has no key ${kid}`);
    const { alg, signs, isNew, signed } = result;
    if (signed) lines.push(`  ${alg}  ${signs}${isNew ? ' is new and' : ''} signs from now on.`);
    return formatSigningKeySet(result.keys);
  });
  print(
    `Removed ${kid} from ${path}.`,
    ...lines,
    '',
    'A running broker takes the file over by itself, and then accepts no token that this key signed. Resource servers',
    'go on accepting them until they ask for /jwks again: restart those that matter if the key has leaked.',
    'Devices with a refresh token get new tokens by themselves.',
  );
  return EXIT.done;
}

async function generateSealing(out: string): Promise<undefined> {
  await writeSealingKey(out);
  print('Name it in the configuration:', '', '  keys:', `    sealing: [${fileReference(out)}]`);
}

async function rotateSealing(out: string): Promise<undefined> {
  await writeSealingKey(out);
  print(
    'Bring it in with two roll-outs, so that no broker meets a key that it does not have:',
    '',
    '1. Append it, last, on every machine, and restart the brokers:',
    '',
    '  keys:',
    '    sealing:',
    '      - …the keys that are there…',
    `      - ${fileReference(out)}`,
    '',
    '2. When all have it, move its line first, and restart them again. From then on it seals.',
    '3. Remove the old line after the longest `refresh_absolute`. `gatehouse check --probe` counts what still needs it.',
  );
}

/** 32 bytes base64url; the line's end is dropped when it is read. */
async function writeSealingKey(out: string): Promise<void> {
  await createPrivateFile(out, `${randomBytes(32).toString('base64url')}\n`);
  print(`Wrote ${resolve(out)}, which only you can read. Let the user that runs the broker read it.`);
}

/**
 * The file that `keys.signing` names. Nothing else of the configuration is looked at: a leaked key must be removable
 * while something in there is wrong.
 */
async function signingFile(options: Options): Promise<string> {
  if (options.file !== undefined) return options.file;
  const config = configFile(options.config);
  const document: unknown = parseYaml(await readFile(config, 'utf8'));
  const named = member(member(member(document, 'keys'), 'signing'), 'file');
  if (typeof named !== 'string') {
    throw new RefusedError(`${config} names no file under keys.signing; name the file with --file`);
  }
  return resolve(dirname(config), named);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** As YAML has it: a JSON string is a YAML string too. */
function fileReference(path: string): string {
  return `{ file: ${JSON.stringify(resolve(path))} }`;
}

function timeOf(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (code === 'EEXIST' && dest !== undefined) return `${dest} exists already and was left as it is`;
  if (code === 'EEXIST') return `${path} exists: another keys command is at work, or was cut off; then remove it`;
  if (code === 'ENOENT') return `${path} is not there`;
  return error.message;
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
