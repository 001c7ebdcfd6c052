import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLogin } from '../support/broker/login-run.ts';
import { type RotatingServer, startRotatingServer } from '../support/broker/rotating-server.ts';

const run = promisify(execFile);
const state = mkdtempSync(join(tmpdir(), 'gatehouse-state-'));
const env = { ...process.env, XDG_STATE_HOME: state };
const CLI = ['--import', 'tsx', join(import.meta.dirname, '../../src/cli/gatehouse.ts'), 'run', '--'];

let server: RotatingServer;
beforeAll(async () => {
  server = await startRotatingServer({ accessSeconds: 3600 });
  const args = ['--profile', 'corp', '--issuer', server.issuer, '--client-id', 'cli'];
  expect((await runLogin(args, { environment: { XDG_STATE_HOME: state } })).exitCode).toBe(0);
});
afterAll(() => server.close());

/** Exit code and last lines of `gatehouse run -- node -e SCRIPT`. */
function start(script: string): ChildProcess {
  return spawn(process.execPath, [...CLI, process.execPath, '-e', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('gatehouse run', () => {
  it('gives a token, and by its socket the one that is fresh, to its owner alone', async () => {
    const script =
      'echo "$GATEHOUSE_TOKEN"; curl -s --unix-socket "$GATEHOUSE_TOKEN_SOCKET" http://localhost/; echo "$GATEHOUSE_TOKEN_SOCKET"; stat -c %a "$GATEHOUSE_TOKEN_SOCKET" "$(dirname "$GATEHOUSE_TOKEN_SOCKET")"; exit 7';
    const failure = (await run(process.execPath, [...CLI, 'sh', '-c', script], { env }).catch(
      (error: unknown) => error,
    )) as {
      code: number;
      stdout: string;
    };
    const [first, fresh, socket = '', mode, folderMode] = failure.stdout.split('\n');
    expect([failure.code, mode, folderMode]).toEqual([7, '600', '700']);
    expect([first, fresh]).toEqual([expect.stringMatching(/^at-/), first]);
    expect(existsSync(dirname(socket))).toBe(false);
  });

  it('sends signals on, and ends as the command does', async () => {
    const child = start(
      "process.on('SIGTERM', () => process.exit(23)); console.log('up'); setInterval(() => {}, 1000)",
    );
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(23);
  });

  it('ends with 128 and the signal that ended the command', async () => {
    const child = start("process.kill(process.pid, 'SIGKILL')");
    expect((await once(child, 'exit'))[0]).toBe(137);
  });

  it('knows that there is no such command', async () => {
    const child = spawn(process.execPath, [...CLI, 'no-such-command-here'], { env });
    expect((await once(child, 'exit'))[0]).toBe(127);
  });
});
