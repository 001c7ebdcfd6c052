import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { unusedPort } from '../support/broker/broker-process.ts';
import { emptyFolder } from '../support/broker/init-run.ts';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../support/upstream/oidc-upstream.ts';

const ROOT = join(import.meta.dirname, '../..');
const SECRET = 'the secret of Gatehouse there';

let folder: string;
let remove: () => Promise<void>;
let upstream: EmbeddedUpstream;
let publicUrl: string;
const ends: (() => void)[] = [];
beforeEach(async () => {
  ({ folder, remove } = await emptyFolder());
  publicUrl = `http://127.0.0.1:${await unusedPort()}`;
  upstream = await startEmbeddedUpstream({
    clients: [{ clientId: 'gatehouse', secret: SECRET, redirectUris: [`${publicUrl}/callback/corp`] }],
  });
});
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await upstream.close();
  await remove();
});

/** The command as it is run, in the folder, by what init said. */
function gatehouse(line: string) {
  const words = line.trim().split(' ').slice(1);
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, join(ROOT, 'src/cli/gatehouse.ts'), ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  ends.push(() => child.kill());
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...said }));
  const until = async (form: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = form.exec(said.out + said.err);
      if (found !== null) return found;
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]);
    }
  };
  return { child, ended, until };
}

it('init, and the commands that it names, lead to a token from a real provider', { timeout: 120_000 }, async () => {
  writeFileSync(join(folder, 'corp.txt'), SECRET, { mode: 0o600 });
  const init = `gatehouse init --public-url ${publicUrl} --issuer http://127.0.0.1:${upstream.port} --client-id gatehouse --client-secret-file corp.txt`;
  const { code, out, err } = await gatehouse(init).ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [check = '', start = '', login = ''] = out.split('\n').filter((line) => line.startsWith('  gatehouse '));
  expect(await gatehouse(check).ended).toMatchObject({ code: 0, out: expect.stringContaining('\n0 wrong,') });

  const broker = gatehouse(start);
  await broker.until(/Gatehouse is ready at/);
  const device = gatehouse(`${login} --json`);
  const [, userCode = ''] = await device.until(/^([A-Z]{4}-[A-Z]{4})$/m);
  expect((await approve(`${publicUrl}/device`, userCode, 'alice')).status).toBe(200);
  const signedIn = await device.ended;
  expect(signedIn).toMatchObject({ code: 0, err: expect.stringContaining('Signed in as corp|alice.') });
  expect(JSON.parse(signedIn.out)).toMatchObject({ access_token: expect.any(String), id_token: expect.any(String) });

  broker.child.kill('SIGTERM');
  expect((await broker.ended).code).toBe(0);
  // The least file that leads there is short enough to be read.
  expect(readFileSync(join(folder, 'config/gatehouse.yaml'), 'utf8').split('\n').length).toBeLessThan(40);
});
