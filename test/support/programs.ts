import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MINUTE = 60_000;

/** The first of these programs that is on PATH. */
export function onPath(...programs: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find((file) => existsSync(file));
}

/** Installs Debian packages where we may, and says so; whether it helped, the caller sees on PATH. */
export async function installFromDebian(...packages: string[]): Promise<void> {
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined) return;
  say(`installing from Debian: ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // With --no-install-recommends only the program and what it needs come.
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await run('apt-get', install, { env, timeout: 5 * MINUTE });
  } catch {
    try {
      await run('apt-get', ['update'], { env, timeout: 5 * MINUTE });
      await run('apt-get', install, { env, timeout: 5 * MINUTE });
    } catch (error) {
      say(`that failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
}

export function say(text: string): void {
  process.stderr.write(`tests: ${text}\n`);
}
