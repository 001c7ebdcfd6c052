import { readFileSync } from 'node:fs';
import { EXIT } from './exit-codes.ts';
import { readArguments } from './read-arguments.ts';
import { versionTable } from './tables/version-table.ts';

/** Of this program, as its package says; the same file is two folders up in the source and in what is built of it. */
export const VERSION: string = versionIn(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

function versionIn(manifest: string): string {
  const { version } = JSON.parse(manifest) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}

/** `gatehouse version`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  readArguments(versionTable, argv);
  process.stdout.write(`gatehouse ${VERSION}\n`);
  return EXIT.done;
}
