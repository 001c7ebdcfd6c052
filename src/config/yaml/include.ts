import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** `*` and `?` stand for characters of a file's name; folders are named as they are, so that they can be watched. */
const WILDCARD = /[*?]/;

/** Why a pattern of `include` cannot be one. */
export function patternFault(pattern: string): string | undefined {
  if (WILDCARD.test(dirname(pattern))) {
    return `found ${JSON.stringify(pattern)}, expected * and ? in the name of the file only, such as clients.d/*.yaml`;
  }
  return undefined;
}

/**
 * The files that a pattern names, by their names relative to `folder`, in the order of the alphabet. One that begins
 * with a dot is an editor's or a kubelet's, unless the pattern begins so too. A plain name need not be there: whoever
 * reads it finds out.
 */
export function includedFiles(folder: string, pattern: string): string[] {
  const name = basename(pattern);
  if (!WILDCARD.test(name)) return [pattern];
  const matches = matcherOf(name);
  try {
    const names = readdirSync(resolve(folder, dirname(pattern)));
    return names
      .filter(matches)
      .sort()
      .map((each) => join(dirname(pattern), each));
  } catch {
    // A folder that is not there has no such files.
    return [];
  }
}

function matcherOf(name: string): (file: string) => boolean {
  const literal = name.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  const regex = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
  return (file) => regex.test(file) && (name.startsWith('.') || !file.startsWith('.'));
}
