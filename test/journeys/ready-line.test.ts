import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sharedSecrets, unusedPort } from '../support/broker/broker-process.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { startRedisServer } from '../support/redis/redis.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-ready-'));
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true });
});

async function start(storage: object, ...more: string[]) {
  const port = await unusedPort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const file = join(folder, 'gatehouse.yaml');
  const upstreams = { corp: { issuer: 'http://127.0.0.1:9', client_id: 'gatehouse' } };
  const keys = { sealing: [{ env: 'SEALING_KEY' }], signing: { env: 'SIGNING_KEYS' } };
  const yaml = { public_url: publicUrl, listen: { port }, storage, keys, upstreams, clients: { cli: { name: 'CLI' } } };
  await writeFile(file, JSON.stringify(yaml));
  const words = ['--import', 'tsx', join(ROOT, 'src/main.ts'), '--config', file, ...more];
  child = spawn(process.execPath, words, { cwd: ROOT, env: { PATH: process.env['PATH'], ...(await sharedSecrets()) } });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return {
    publicUrl,
    out: () => out,
    async started() {
      await expect.poll(() => err, { timeout: 30_000 }).toContain('"process.started"');
    },
  };
}

describe('the ready line', () => {
  it('says ready when the storage answers, and until then what is waited for', { timeout: 60_000 }, async () => {
    const redis = await startRedisServer();
    await redis.kill();
    const { username } = LEAST_USER;
    await writeFile(join(folder, 'password'), LEAST_USER.password.reveal(), { mode: 0o600 });
    const settings = { url: redis.url, username, password: { file: 'password' } };
    const broker = await start({ driver: 'redis', redis: settings });
    await broker.started();
    expect(broker.out()).toBe(
      `Gatehouse listens at ${broker.publicUrl} and waits for its storage: nobody can sign in until that answers\n`,
    );
    await redis.restart();
    await expect.poll(() => broker.out(), { timeout: 15_000 }).toContain(`Gatehouse is ready at ${broker.publicUrl}\n`);
    await redis.stop();
  });

  it.each([
    ['text', [], (url: string) => `Gatehouse is ready at ${url}\n`],
    ['text', ['--ready-line', 'text'], (url: string) => `Gatehouse is ready at ${url}\n`],
    ['json', ['--ready-line', 'json'], (url: string) => `${JSON.stringify({ event: 'ready', public_url: url })}\n`],
    ['none', ['--ready-line=none'], () => ''],
  ])('is %s where it is asked for by %j', async (_, words, line) => {
    const broker = await start({ driver: 'memory' }, ...words);
    await broker.started();
    await expect.poll(() => broker.out()).toBe(line(broker.publicUrl));
  });

  it('in a form that there is none of is a mistake of usage', async () => {
    await start({ driver: 'memory' }, '--ready-line', 'yaml');
    expect(await once(child as ChildProcess, 'exit')).toEqual([64, null]);
  });
});
