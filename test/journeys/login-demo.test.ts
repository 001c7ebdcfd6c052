import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decide, endDevice } from '../../demo/scripted-person.ts';

const root = join(import.meta.dirname, '../..');
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

/** `npm run demo -- …`, without npm. */
function startDemo(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'demo/demo.ts'), ...args], { cwd: root });
  running.push(child);
  let screen = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      child.emit('screen');
    });
  }
  return {
    child,
    ended: once(child, 'exit').then(([code]) => ({ code: code as number | null, screen })),
    async shows(words: string): Promise<string> {
      while (!screen.includes(words)) await once(child, 'screen');
      return screen;
    },
  };
}

describe('npm run demo', () => {
  it('-- --auto: a script plays the person; it ends with 0 and verified tokens, within 30 seconds', async () => {
    const startedAtMs = Date.now();
    const { code, screen } = await startDemo('--auto', '--port', '0').ended;
    expect(screen).toMatch(/\n[A-Z]{4}-[A-Z]{4}\n/);
    expect(screen).toMatch(/\nhttp:\/\/127\.0\.0\.1:\d+\/device\n/);
    expect(screen).toContain('Signed in as Alice Adams (alice@example.com).');
    expect(screen).toMatch(/The access token is verified: RS256, by http:\/\/127\.0\.0\.1:\d+, for /);
    expect(screen).toMatch(/\nThe device refreshed: a new access token for \d+ s/);
    expect(screen).toMatch(/\nPerson: reads “[^”]+” and ends the device\n/);
    expect(screen).toMatch(/refused: invalid_grant\. Its session has ended\.\n$/);
    expect(screen).not.toMatch(/"level":/);
    expect(code).toBe(0);
    expect(Date.now() - startedAtMs).toBeLessThan(30_000);
  });

  it('serves on after a sign-in, says when its device is ended at the page, and stops on Ctrl-C', {
    timeout: 60_000,
  }, async () => {
    const demo = startDemo('--port', '0');
    const screen = await demo.shows('Waiting');
    const userCode = /\n([A-Z]{4}-[A-Z]{4})\n/.exec(screen)?.[1] ?? '';
    const verificationUri = /\n(http:\/\/\S+\/device)\n/.exec(screen)?.[1] ?? '';
    const done = await decide({ verificationUri, userCode, user: 'alice' });
    expect(done.url.pathname).toBe('/device/done');
    const on = await demo.shows('The device refreshed');
    const [, sessions = ''] = /\n {2}(http:\S+\/sessions)\n/.exec(on) ?? [];
    expect((await endDevice(sessions, 'alice')).status).toBe(200);
    await demo.shows('Its session has ended.');
    demo.child.kill('SIGINT');
    expect(await demo.ended).toEqual({ code: 0, screen: expect.stringMatching(/\nStopped\.\n$/) });
  });

  it('waits for a person, and ends with 3 when they deny', async () => {
    const demo = startDemo('--port', '0');
    const screen = await demo.shows('Waiting');
    const userCode = /\n([A-Z]{4}-[A-Z]{4})\n/.exec(screen)?.[1] ?? '';
    const verificationUri = /\n(http:\/\/\S+\/device)\n/.exec(screen)?.[1] ?? '';
    await decide({ verificationUri, userCode, user: 'bob', decision: 'deny' });
    const end = await demo.ended;
    expect(end.screen).toContain('Denied in the browser.');
    expect(end.code).toBe(3);
  });

  it('ends cleanly on Ctrl-C', async () => {
    const demo = startDemo('--port', '0');
    await demo.shows('Waiting');
    demo.child.kill('SIGINT');
    const { code, screen } = await demo.ended;
    expect(screen).toMatch(/Stopped\. Nothing was connected\.\n$/);
    expect(code).toBe(0);
  });

  it('says in plain words that the port is taken, and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, screen } = await startDemo('--auto', '--port', String(port)).ended;
    other.close();
    expect(screen).toBe(
      `Port ${port} is taken by another program. Choose another one: npm run demo -- --port ${port + 1}\n`,
    );
    expect(code).toBe(1);
  });

  it('ends with 64 and its options on any other', async () => {
    const { code, screen } = await startDemo('--nonsense').ended;
    expect([code, screen.includes('Usage: npm run demo')]).toEqual([64, true]);
  });
});
