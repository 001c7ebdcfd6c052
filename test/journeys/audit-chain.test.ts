import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

let folder: string;
let upstream: FakeUpstream;
let environment: Record<string, string>;
let lines: string[];

/** One log of three processes: two side by side, of which one is killed, and one after them. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-chain-'));
  upstream = await startFakeUpstream();
  environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret };
  const log = openSync(join(folder, 'log'), 'a');
  const [one, other] = await Promise.all([start(log), start(log)]);
  await Promise.all([signIn(one), signIn(other)]);
  await other.stop('SIGKILL');
  await one.stop();
  const next = await start(log);
  await signIn(next);
  await next.stop();
  closeSync(log);
  lines = readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');
}, 120_000);
afterAll(async () => {
  await upstream.close();
  await rm(folder, { recursive: true });
});

function start(log: number): Promise<BrokerProcess> {
  const yaml = brokerYaml(upstream, { storage: { driver: 'memory' }, audit: { chain: true } });
  return startBrokerProcess({ environment, yaml, log });
}

async function signIn({ origin }: BrokerProcess): Promise<void> {
  const device = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
  const { body } = await device.start();
  await approve(`${origin}/device`, body.user_code, 'alice');
  expect((await device.poll(body.device_code)).status).toBe(200);
}

function fileOf(name: string, content: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${content.join('\n')}\n`);
  return file;
}

describe('gatehouse audit verify', () => {
  it('finds nothing wrong in what several processes wrote, and says which of them has no end', async () => {
    const file = join(folder, 'log');
    const { code, out } = await runCli('audit', 'verify', file);
    expect(code).toBe(0);
    expect(out.match(/^chain \S+, \d+ lines: begins at .*:\d+, is ended at .*:\d+$/gm)).toHaveLength(2);
    expect(
      out.match(/^chain \S+, \d+ lines: begins at .*:\d+, has no end after .*:\d+: the process runs, or/gm),
    ).toHaveLength(1);
    expect((await runCli('audit', 'verify', '--whole', file)).code).toBe(1);
  });

  it('names the line that was changed, and the place of one that was taken out', async () => {
    const at = lines.findIndex((line) => line.includes('"grant.approved"'));
    const changed = lines.map((line, index) =>
      index === at ? line.replace('Alice', 'Mallory').replace('alice', 'bob') : line,
    );
    const file = fileOf('changed', changed);
    expect(await runCli('audit', 'verify', file)).toMatchObject({
      code: 1,
      out: expect.stringMatching(new RegExp(`^${file}:${at + 1}: was changed`)),
    });
    const gone = fileOf('gone', lines.toSpliced(at, 1));
    expect(await runCli('audit', 'verify', gone)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/1 line of this chain is missing between line \d+ and this one/),
    });
  });

  it('reads a log that was rotated, behind prefixes, inside of a container’s log, and from stdin', async () => {
    const half = Math.floor(lines.length / 2);
    const [first, second] = [fileOf('log.1', lines.slice(0, half)), fileOf('log.0', lines.slice(half))];
    expect((await runCli('audit', 'verify', first, second)).code).toBe(0);
    const alone = await runCli('audit', 'verify', second);
    expect(alone).toMatchObject({ code: 0, out: expect.stringMatching(/goes on at .* \(\d+ lines before it are not/) });
    const prefixed = fileOf(
      'prefixed',
      lines.map((line) => `2026-11-30T10:00:00.123456789Z stderr F ${line}`),
    );
    expect((await runCli('audit', 'verify', prefixed)).out).toContain('is ended at');
    const container = lines.map((line) => JSON.stringify({ log: `${line}\n`, stream: 'stderr', time: 'now' }));
    expect((await runCli('audit', 'verify', fileOf('container', container))).out).toContain('is ended at');
    const gatehouse = join(import.meta.dirname, '../../src/cli/gatehouse.ts');
    const piped = spawnSync(process.execPath, ['--import', 'tsx', gatehouse, 'audit', 'verify'], {
      input: lines.join('\n'),
      encoding: 'utf8',
    });
    expect(piped).toMatchObject({ status: 0, stdout: expect.stringContaining('is ended at stdin:') });
  });

  it('says so where there is no chain, no file, or nothing to do', async () => {
    const plain = fileOf('plain', ['{"level":"info","time":"x","event":"grant.approved"}', 'another program']);
    expect(await runCli('audit', 'verify', plain)).toMatchObject({
      code: 1,
      out: expect.stringContaining('audit.chain'),
    });
    expect(await runCli('audit', 'verify', join(folder, 'nowhere'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read'),
    });
    expect((await runCli('audit')).code).toBe(64);
    expect((await runCli('audit', 'verify', '--nonsense')).code).toBe(64);
  });
});
