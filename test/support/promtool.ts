import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath, say } from './programs.ts';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../../.cache/promtool');
const UNPACKED = join(FOLDER, 'usr/bin/promtool');
const MINUTE = 60_000;

/** promtool of Prometheus: the system's, or the one in Debian's package, unpacked and not installed: that would start a server. */
export async function findPromtool(): Promise<string> {
  const found = onPath('promtool') ?? (existsSync(UNPACKED) ? UNPACKED : undefined);
  if (found !== undefined) return found;
  say('unpacking promtool from Debian’s package prometheus');
  await mkdir(FOLDER, { recursive: true });
  const download = () => run('apt-get', ['download', 'prometheus'], { cwd: FOLDER, timeout: 5 * MINUTE });
  await download().catch(async () => {
    await run('apt-get', ['update'], { timeout: 5 * MINUTE });
    await download();
  });
  const file = (await readdir(FOLDER)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error('promtool was not found, and Debian’s package prometheus cannot be had');
  await run('dpkg', ['-x', join(FOLDER, file), FOLDER]);
  await rm(join(FOLDER, file));
  return UNPACKED;
}
