import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './program.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const LEFT_OUT = new Set(['.git', '.cache', 'dist', 'node_modules']);

/** The tarball as `npm pack` makes it in a clone; in a copy, so that a `dist` that runs stays as it is. */
export async function packGatehouse(folder: string): Promise<string> {
  const copy = join(folder, 'copy');
  await mkdir(copy);
  for (const name of readdirSync(ROOT)) {
    if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await runProgram(['npm', 'pack', '--pack-destination', folder], { cwd: copy });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no tarball');
  return join(folder, tarball);
}
