import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { type DeviceServer, type Step, startDeviceServer } from '../../support/broker/device-server.ts';
import { onPath } from '../../support/programs.ts';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../../../docs/snippets');

/** What runs each; Go builds first. */
const LANGUAGES: Readonly<Record<string, { program: string; args: readonly string[] }>> = {
  'device.sh': { program: 'sh', args: [] },
  'device.py': { program: 'python3', args: [] },
  'device.go': { program: 'go', args: ['run'] },
  'device.ps1': { program: 'pwsh', args: ['-NoProfile', '-File'] },
};

const opened: DeviceServer[] = [];
afterAll(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function signIn(file: string, polls: Step[]) {
  const server = await startDeviceServer({ polls, start: { change: { interval: 1 } } });
  opened.push(server);
  const { program, args } = LANGUAGES[file] ?? { program: '', args: [] };
  const cache = await mkdtemp(join(tmpdir(), 'gatehouse-snippet-'));
  // Proxies of this machine are not for loopback; Go keeps what it built where it always does.
  const env = { ...process.env, no_proxy: '*', GOFLAGS: '-mod=mod', PYTHONPYCACHEPREFIX: cache };
  const result = run(program, [...args, join(FOLDER, file), server.issuer, 'tv'], { env, timeout: 90_000 });
  const { code, stdout, stderr } = await result.then(
    (done) => ({ code: 0, ...done }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
  return { code, stdout, stderr, polls: server.requests.filter(({ path }) => path === '/token').length, server };
}

const here = Object.keys(LANGUAGES).filter((file) => onPath(LANGUAGES[file]?.program ?? '') !== undefined);

describe('the snippets', () => {
  it('are these, and no other', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(LANGUAGES).sort());
  });

  it.concurrent.each(here)(
    '%s signs in, past a poll that is pending and one that is cut',
    { timeout: 120_000 },
    async (file) => {
      const signedIn = await signIn(file, ['pending', 'cut', 'tokens']);
      expect(signedIn).toMatchObject({ code: 0, stdout: 'the-access-token\n', polls: 3 });
      expect(signedIn.stderr).toContain(signedIn.server.userCode);
      expect(signedIn.stderr).toContain(`${signedIn.server.issuer}/device`);
      const denied = await signIn(file, ['denied']);
      expect([denied.code, denied.stdout]).toEqual([1, '']);
      expect(denied.stderr).toContain('access_denied');
    },
  );
});
