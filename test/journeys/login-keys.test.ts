import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { hasUnicode } from '../../src/cli/terminal/terminal.ts';
import { type DeviceServer, startDeviceServer } from '../support/broker/device-server.ts';
import { runLogin } from '../support/broker/login-run.ts';

const opened: DeviceServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function typing(lines: readonly string[], start: Record<string, unknown> = {}, isTTY = true) {
  const server = await startDeviceServer({ polls: ['pending', 'tokens'], start: { change: start } });
  opened.push(server);
  const done: string[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const run = await runLogin(['--issuer', server.issuer, '--client-id', 'tv'], {
    stdin,
    screen: { isTTY: true, columns: 100 },
    desktop: { open: (address) => done.push(`open ${address}`), copy: (text) => done.push(`copy ${text}`) },
    async onSleep(count) {
      if (count !== 1) return;
      for (const line of lines) stdin.write(`${line}\n`);
      for (let turns = 0; turns < 5; turns += 1) await turn();
    },
  });
  return { ...run, done, issuer: server.issuer };
}

describe('gatehouse login, where there is a browser', () => {
  it('opens the page when a person presses Enter, without the code in its address', async () => {
    const { done, issuer, screen } = await typing(['']);
    expect(screen).toContain('Press Enter to open');
    expect(done).toEqual([`open ${issuer}/device`]);
  });

  it('copies the code on c, to the terminal’s clipboard too', async () => {
    const { done, screen } = await typing(['c']);
    expect(done).toEqual(['copy WDJB-MJHT']);
    expect(screen).toContain(`\u001b]52;c;${Buffer.from('WDJB-MJHT').toString('base64')}\u0007`);
  });

  it('does neither by itself, and offers nothing where nobody types', async () => {
    expect((await typing([])).done).toEqual([]);
    expect((await typing([''], {}, false)).screen).not.toContain('Press Enter');
  });
});

describe('pictures and motion', () => {
  it.each<[boolean, NodeJS.Platform, Record<string, string>]>([
    [true, 'linux', {}],
    [true, 'linux', { LANG: 'de_DE.UTF-8' }],
    [true, 'linux', { LANG: 'C', LC_ALL: 'en_US.utf8' }],
    [false, 'linux', { LANG: 'C' }],
    [false, 'linux', { LC_ALL: 'POSIX', LANG: 'de_DE.UTF-8' }],
    [false, 'linux', { TERM: 'linux' }],
    [false, 'win32', {}],
    [true, 'win32', { WT_SESSION: '1' }],
    [true, 'win32', { TERM_PROGRAM: 'vscode' }],
  ])('are there: %j on %s with %j', (is, platform, environment) => expect(hasUnicode(environment, platform)).toBe(is));
});
