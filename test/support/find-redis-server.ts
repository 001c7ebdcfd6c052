import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MINUTE = 60_000;

/**
 * Finds a `redis-server` program: on PATH, else the one of redis-memory-server (`REDISMS_SYSTEM_BINARY`, its cache, its
 * download), else from Debian's packages where we may install. Says what it did when it did something.
 */
export async function findRedisServer(): Promise<{ program: string } | { missing: string }> {
  const found = onPath('redis-server') ?? (await fromRedisMemoryServer()) ?? (await fromDebian());
  if (found !== undefined) {
    return { program: found };
  }
  return {
    missing:
      'The tests need a Redis server, and none was found: install one ("apt-get install redis-server"), ' +
      'or name a running one in REDIS_URL.',
  };
}

function onPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

async function fromRedisMemoryServer(): Promise<string | undefined> {
  const named = process.env['REDISMS_SYSTEM_BINARY'];
  if (named !== undefined && existsSync(named)) {
    return named;
  }
  say('no redis-server on PATH; asking redis-memory-server for one (at most a minute)');
  const script = "import('redis-memory-server').then((m) => m.default.RedisBinary.getPath()).then(console.log)";
  try {
    const { stdout } = await run(process.execPath, ['-e', script], { timeout: MINUTE, killSignal: 'SIGKILL' });
    const program = stdout.trim().split('\n').at(-1) ?? '';
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

async function fromDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined) {
    return undefined;
  }
  say('installing the Debian package redis-server');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // With --no-install-recommends only the program and what it needs come.
  const install = ['install', '-y', '--no-install-recommends', 'redis-server'];
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
  return onPath('redis-server');
}

function say(text: string): void {
  process.stderr.write(`tests: ${text}\n`);
}
