import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import { includedFiles } from '../../config/yaml/include.ts';

type Files = Pick<Config, 'filesRead' | 'includes'>;

/** Files that are looked at between two requests: a configuration may be ten thousand of them. */
const AT_ONCE = 100;

/** Tells whether one of the files was written, replaced or taken away since, or another came to be included. */
export async function standOf({ filesRead, includes }: Files): Promise<string> {
  const included = includes.flatMap((pattern) => includedFiles('/', pattern));
  const stands = await ofEach([...new Set([...filesRead, ...included])], standOfFile);
  return stands.join();
}

function standOfFile(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${path} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return `${path} is gone`;
  }
}

/** Where the files are named, and where they really are: either a link or what it leads to may change. */
export async function foldersOf({ filesRead, includes }: Files): Promise<string[]> {
  const named = [...filesRead, ...includes].map((path) => dirname(path));
  const real = await ofEach(filesRead, (path) => dirname(realPathOf(path)));
  return [...new Set([...named, ...real])];
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** The first of them are looked at before this comes back: what changes from then on is a change. */
async function ofEach(paths: readonly string[], ask: (path: string) => string): Promise<string[]> {
  const answers: string[] = [];
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    if (from > 0) await setImmediate();
    for (const path of paths.slice(from, from + AT_ONCE)) answers.push(ask(path));
  }
  return answers;
}
