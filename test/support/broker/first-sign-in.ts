import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { approve } from '../../../demo/scripted-person.ts';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../upstream/oidc-upstream.ts';
import { unusedPort } from './broker-process.ts';
import { emptyFolder } from './init-run.ts';

const SECRET = 'the secret of Gatehouse there';

/** How the command is called. */
export interface CalledCommand {
  program: string;
  args: readonly string[];
  path: string | undefined;
}

/**
 * What a new administrator does, in an empty folder, at a real provider: init, then the commands that init names, to a
 * token. Answers the configuration's text.
 */
export async function firstSignIn(called: CalledCommand, read: (file: string) => string): Promise<string> {
  const { folder, remove } = await emptyFolder();
  const publicUrl = `http://127.0.0.1:${await unusedPort()}`;
  const children: ChildProcess[] = [];
  const gatehouse = (line: string) => {
    const said = startCommand(called, folder, line.trim().split(' ').slice(1));
    children.push(said.child);
    return said;
  };
  let upstream: EmbeddedUpstream | undefined;
  try {
    upstream = await startEmbeddedUpstream({
      clients: [{ clientId: 'gatehouse', secret: SECRET, redirectUris: [`${publicUrl}/callback/corp`] }],
    });
    writeFileSync(join(folder, 'corp.txt'), SECRET, { mode: 0o600 });
    const issuer = `http://127.0.0.1:${upstream.port}`;
    const init = `gatehouse init --public-url ${publicUrl} --issuer ${issuer} --client-id gatehouse --client-secret-file corp.txt`;
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
    return read(join(folder, 'config/gatehouse.yaml'));
  } finally {
    for (const child of children) child.kill();
    await upstream?.close();
    await remove();
  }
}

function startCommand({ program, args, path }: CalledCommand, cwd: string, words: readonly string[]) {
  const child = spawn(program, [...args, ...words], { cwd, env: { PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return {
    child,
    ended,
    async until(form: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = form.exec(said.out + said.err);
        if (found !== null) return found;
        const over = ended.then(({ out, err }) => {
          throw new Error(`it ended before ${form}: ${out}${err}`);
        });
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), over]);
      }
    },
  };
}
