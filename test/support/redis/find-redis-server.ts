import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { installFromDebian, onPath, say } from '../programs.ts';

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
  await installFromDebian('redis-server');
  return onPath('redis-server');
}
