import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type DeviceServer, type DeviceServerScript, startDeviceServer } from '../support/broker/device-server.ts';
import { type LoginRunOptions, runLogin } from '../support/broker/login-run.ts';

const opened: DeviceServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function serve(script: DeviceServerScript): Promise<DeviceServer> {
  const server = await startDeviceServer(script);
  opened.push(server);
  return server;
}

async function logInAt(script: DeviceServerScript, args: readonly string[] = [], options: LoginRunOptions = {}) {
  const server = await serve(script);
  const run = await runLogin(['--issuer', server.issuer, '--client-id', 'tv', ...args], options);
  const polls = server.requests.filter(({ path }) => path.endsWith('/token'));
  return { ...run, server, polls };
}

describe('gatehouse login ends with', () => {
  it('0 and the name of the person, when signed in', async () => {
    const { exitCode, screen, stdout } = await logInAt({ polls: ['pending', 'tokens'] });
    expect(exitCode).toBe(0);
    expect(screen).toContain('\nWDJB-MJHT\n');
    expect(screen).toContain('Signed in as Alice Adams (alice@example.com).');
    expect(screen).toContain('verified');
    expect(screen).not.toContain('the-access-token');
    expect(stdout).toBe('');
  });

  it('0 and the token response on standard output alone, with --json', async () => {
    const { exitCode, screen, stdout } = await logInAt({ polls: ['tokens'] }, ['--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      access_token: 'the-access-token',
      token_type: 'Bearer',
      expires_in: 600,
    });
    expect(screen).not.toContain('the-access-token');
  });

  it.each([
    ['3', 'access_denied', ['pending', 'denied'], 3, 'Denied'],
    ['3', 'Entra’s authorization_declined', [{ status: 400, json: { error: 'authorization_declined' } }], 3, 'Denied'],
    ['4', 'expired_token', ['pending', 'expired'], 4, 'expired before'],
    ['1', 'invalid_grant', [{ status: 400, json: { error: 'invalid_grant' } }], 1, 'invalid_grant'],
    ['1', 'a page in place of an answer', [{ status: 403, html: '<h1>Firewall</h1>' }], 1, 'not with JSON'],
  ] satisfies [string, string, DeviceServerScript['polls'], number, string][])(
    '%s on %s, and says so',
    async (_code, _what, polls, exitCode, words) => {
      const run = await logInAt({ polls }, ['--json']);
      expect(run.exitCode).toBe(exitCode);
      expect(run.screen).toContain(words);
      expect(run.stdout).toBe('');
    },
  );

  it('4 when the server says “pending” beyond the end of the code', async () => {
    const run = await logInAt({ polls: ['pending'], start: { change: { expires_in: 12 } } });
    expect(run.exitCode).toBe(4);
    expect(run.polls).toHaveLength(3);
  });

  it.each([
    ['by another key', { idToken: {}, isForged: true }],
    ['for another client', { idToken: { aud: 'somebody-else' } }],
    ['of another issuer', { idToken: { iss: 'https://elsewhere.example' } }],
    ['that has expired', { idToken: { exp: 1_000_000 } }],
  ])('1 and no tokens on an ID token %s', async (_, step) => {
    const { exitCode, screen, stdout, polls } = await logInAt({ polls: [step, 'tokens'] }, ['--json']);
    expect(exitCode).toBe(1);
    expect(screen).toContain('do not check');
    expect(stdout).toBe('');
    expect(polls).toHaveLength(1);
  });

  it('64 on wrong options, with where help is', async () => {
    for (const args of [
      [],
      ['--nonsense'],
      ['--issuer', 'example.com', '--client-id', 'tv'],
      ['--issuer', 'https://x.example'],
    ]) {
      const { exitCode, screen } = await runLogin(args);
      expect(exitCode).toBe(64);
      expect(screen).toContain('gatehouse login --help');
    }
  });

  it('130 at once when it is interrupted between two polls', async () => {
    const abort = new AbortController();
    const run = await logInAt({ polls: ['pending'] }, [], {
      abort,
      onSleep: (count) => (count === 2 ? abort.abort() : undefined),
    });
    expect(run.exitCode).toBe(130);
    expect(run.screen).toMatch(/Nothing was connected\.\n$/);
    expect(run.polls).toHaveLength(1);
  });

  it('130 at once when it is interrupted during a poll that hangs', async () => {
    const abort = new AbortController();
    const server = await serve({ polls: ['hang'] });
    const running = runLogin(['--issuer', server.issuer, '--client-id', 'tv'], { abort });
    while (!server.requests.some(({ path }) => path === '/token')) await delay(5);
    abort.abort();
    expect((await running).exitCode).toBe(130);
  });

  it('130 on Ctrl-C as a process, within a moment', async () => {
    const server = await serve({ polls: ['pending'] });
    const root = join(import.meta.dirname, '../..');
    const command = ['--import', 'tsx', join(root, 'src/cli/gatehouse.ts'), 'login', '--issuer', server.issuer];
    const child = spawn(process.execPath, [...command, '--client-id', 'tv'], {
      cwd: root,
      env: { ...process.env, XDG_STATE_HOME: await mkdtemp(join(tmpdir(), 'gatehouse-state-')) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let screen = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      if (text.includes('Waiting')) child.kill('SIGINT');
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect([code, signal]).toEqual([130, null]);
    expect(screen).toContain('Stopped. Nothing was connected.');
  });
});

describe('gatehouse login keeps polling', () => {
  it('through slow_down, with the interval that the server names', async () => {
    const steps = [
      'slow_down',
      { status: 400, json: { error: 'slow_down', interval: 20 } },
      'pending',
      'tokens',
    ] as const;
    const { exitCode, sleeps, screen } = await logInAt({ polls: steps });
    expect(exitCode).toBe(0);
    expect(sleeps).toEqual([5, 10, 20, 20]);
    expect(screen).toContain('asked to slow down');
  });

  it('through cut connections, with half the pace each time (RFC 8628 §3.5)', async () => {
    const { exitCode, sleeps, screen } = await logInAt({ polls: ['cut', 'cut', 'pending', 'tokens'] });
    expect(exitCode).toBe(0);
    expect(sleeps).toEqual([5, 10, 20, 5]);
    expect(screen).toContain('(connection cut). Trying again in 10 s.');
  });

  it.each([
    ['502 with a page', { status: 502, html: '<h1>Bad gateway</h1>' }, 10],
    [
      '503 with Retry-After',
      { status: 503, json: { error: 'temporarily_unavailable' }, headers: { 'retry-after': '17' } },
      17,
    ],
    ['429 with a page', { status: 429, html: '<h1>Too many</h1>' }, 10],
    ['temporarily_unavailable', { status: 400, json: { error: 'temporarily_unavailable' } }, 10],
  ])('through %s', async (_, step, seconds) => {
    const { exitCode, sleeps } = await logInAt({ polls: [step, 'tokens'] });
    expect(exitCode).toBe(0);
    expect(sleeps).toEqual([5, seconds]);
  });

  it('through a server that accepts the connection and never answers', async () => {
    const timeOut: typeof fetch = async (url, init) => {
      if (typeof url !== 'string' || !url.endsWith('/token') || timedOut) return fetch(url, init);
      timedOut = true;
      throw new DOMException('The operation timed out', 'TimeoutError');
    };
    let timedOut = false;
    const { exitCode, sleeps, screen } = await logInAt({ polls: ['tokens'] }, [], { fetch: timeOut });
    expect(exitCode).toBe(0);
    expect(sleeps).toEqual([5, 10]);
    expect(screen).toContain('(no answer in time)');
  });
});

describe('gatehouse login types the digits that the browser shows', () => {
  function keyboard(): PassThrough & { isTTY?: boolean } {
    return Object.assign(new PassThrough(), { isTTY: true });
  }

  async function typeDigits(stdin: PassThrough, digits: string): Promise<void> {
    stdin.write(`${digits}\n`);
    await delay(20);
  }

  it('with --confirm: asks the server for them, and sends each once', async () => {
    const stdin = keyboard();
    const polls: DeviceServerScript['polls'] = ['pending', 'pending', 'pending', 'tokens'];
    const run = await logInAt({ polls }, ['--confirm'], {
      stdin,
      onSleep: (count) =>
        count === 2 ? typeDigits(stdin, '0000') : count === 4 ? typeDigits(stdin, '0421') : undefined,
    });
    expect(run.exitCode).toBe(0);
    expect(run.server.requests[0]?.form['confirmation']).toBe('required');
    expect(run.screen).toContain('When the browser shows 4 digits');
    expect(run.screen).toContain('These digits were not taken.');
    expect(run.polls.map(({ form }) => form['confirmation_code'])).toEqual([undefined, '0000', undefined, '0421']);
  });

  it('and sends them again where the answer was lost', async () => {
    const stdin = keyboard();
    const run = await logInAt({ polls: ['cut', 'tokens'] }, ['--confirm'], {
      stdin,
      onSleep: (count) => (count === 1 ? typeDigits(stdin, '0421') : undefined),
    });
    expect(run.polls.map(({ form }) => form['confirmation_code'])).toEqual(['0421', '0421']);
  });

  it('where the server says that it will ask, and offers itself only at a keyboard', async () => {
    const script: DeviceServerScript = { polls: ['tokens'], start: { change: { confirmation: 'required' } } };
    const atKeyboard = await logInAt(script, [], { stdin: keyboard() });
    expect(atKeyboard.server.requests[0]?.form['confirmation']).toBe('supported');
    expect(atKeyboard.screen).toContain('4 digits');
    const piped = await logInAt({ polls: ['tokens'] });
    expect(piped.server.requests[0]?.form).not.toHaveProperty('confirmation');
    expect(piped.screen).not.toContain('4 digits');
  });
});
