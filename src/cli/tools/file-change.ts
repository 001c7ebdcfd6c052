import { chmod, mkdir, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { changePrivateFile, createPrivateFile } from '../private-file.ts';
import { printable } from '../terminal/printable.ts';

/** One file of another tool, before and after; `undefined` where it is not there. */
export interface FileChange {
  path: string;
  before: string | undefined;
  after: string | undefined;
  /** What a person is shown in place of the lines that differ, which may have others' secrets. */
  shown?: readonly string[];
  /** Of a new file; its owner's alone, unless it says otherwise. */
  mode?: number;
}

export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The lines that go and come, for a person. What stays is not shown: it may have secrets. */
export function shownChange({ path, before, after, shown }: FileChange): string[] {
  const [was, is] = [(before ?? '').split('\n'), (after ?? '').split('\n')];
  let start = 0;
  while (start < Math.min(was.length, is.length) && was[start] === is[start]) start += 1;
  let end = 0;
  const shorter = Math.min(was.length, is.length) - start;
  while (end < shorter && was.at(-1 - end) === is.at(-1 - end)) end += 1;
  const title = after === undefined ? `Remove ${path}` : before === undefined ? `New file ${path}` : `Change ${path}`;
  if (shown !== undefined) return [`${title}:`, ...shown.map((line) => `  ${printable(line)}`)];
  return [
    `${title}:`,
    ...was.slice(start, was.length - end).map((line) => `  - ${printable(line)}`),
    ...is.slice(start, is.length - end).map((line) => `  + ${printable(line)}`),
  ];
}

/** Whole or not at all. A file that is not any more what was shown is left alone. */
export async function makeChange({ path, before, after, mode }: FileChange): Promise<void> {
  if (before === undefined) {
    await mkdir(dirname(path), { recursive: true });
    await createPrivateFile(path, after ?? '');
    if (mode !== undefined) await chmod(path, mode);
  } else if (after === undefined) {
    if ((await textOf(path)) === before) await unlink(path);
  } else {
    await changePrivateFile(path, async (text) => {
      if (text !== before) throw new Error(`${path} was changed meanwhile, and is left as it is`);
      return after;
    });
  }
}
