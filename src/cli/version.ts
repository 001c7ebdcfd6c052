import { readFileSync } from 'node:fs';
import { EXIT } from './exit-codes.ts';
import { readArguments } from './read-arguments.ts';

/** Of this program, as its package says; the same file is two folders up in the source and in what is built of it. */
export const VERSION: string = versionIn(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

function versionIn(manifest: string): string {
  const { version } = JSON.parse(manifest) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}

const USAGE = `Usage: gatehouse version

Prints the version of this Gatehouse; so does gatehouse --version.
`;

/** `gatehouse version`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments({ args: argv, options: { help: { type: 'boolean', short: 'h' } } });
  process.stdout.write(values.help === true ? USAGE : `gatehouse ${VERSION}\n`);
  return EXIT.done;
}
