import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../support/broker/run-cli.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gatehouse-home-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_STATE_HOME', join(home, 'state'));
  for (const name of ['KUBECONFIG', 'DOCKER_CONFIG', 'GIT_CONFIG_GLOBAL', 'XDG_CONFIG_HOME']) vi.stubEnv(name, '');
});
afterEach(() => vi.unstubAllEnvs());

const install = (tool: string, ...more: string[]) => runCli('helper', 'install', tool, '--profile', 'corp', ...more);
const remove = (tool: string, ...more: string[]) => runCli('helper', 'remove', tool, '--profile', 'corp', ...more);

const KUBE = `apiVersion: v1
kind: Config
# our clusters
clusters:
    - name: one
      cluster: {server: "https://one.example"}
users:
    - name: somebody   # by hand
      user: {token: "a-secret-of-theirs"}
`;
const DOCKER = '{\n    "auths": {\n        "registry.example": {\n            "auth": "c2VjcmV0"\n        }\n    }\n}';
const GIT = '[user]\n\tname = Alice\n[alias] st = status';

const tools: [string, string[], string, string][] = [
  ['kubectl', ['--id-token'], '.kube/config', KUBE],
  ['git', ['--for', 'git.example.com:8443'], '.gitconfig', GIT],
  ['docker', ['--for', 'registry.example.com'], '.docker/config.json', DOCKER],
];

describe.each(tools)('gatehouse helper for %s', (tool, options, file, text) => {
  const path = () => join(home, file);
  const removal = options.filter((option) => option !== '--id-token');
  const given = (before: string) => {
    mkdirSync(dirname(path()), { recursive: true });
    writeFileSync(path(), before, { mode: 0o640 });
  };

  it('shows what it will write, asks nobody where nobody is, and writes nothing then', async () => {
    given(text);
    const run = await install(tool, ...options);
    expect([run.code, run.out, run.err]).toEqual([64, '', expect.stringContaining(`Change ${path()}`)]);
    expect(run.err).toContain('--profile');
    expect(run.err).not.toMatch(/a-secret-of-theirs|c2VjcmV0/);
    expect(readFileSync(path(), 'utf8')).toBe(text);
  });

  it('adds to what is there, once, and takes it out again to the byte', async () => {
    given(text);
    expect((await install(tool, ...options, '--yes')).code).toBe(0);
    const written = readFileSync(path(), 'utf8');
    expect(written).not.toBe(text);
    expect(statSync(path()).mode & 0o777).toBe(0o640);
    expect((await install(tool, ...options, '--yes')).err).toContain('there already');
    expect(readFileSync(path(), 'utf8')).toBe(written);
    expect((await remove(tool, ...removal, '--yes')).code).toBe(0);
    expect(readFileSync(path(), 'utf8')).toBe(text);
    expect((await remove(tool, ...removal, '--yes')).err).toContain('Nothing of it is there');
  });

  it('makes the file where there is none, and removes it again', async () => {
    await install(tool, ...options, '--yes');
    expect(existsSync(path())).toBe(true);
    await remove(tool, ...removal, '--yes');
    expect(existsSync(path())).toBe(false);
  });
});

describe('gatehouse helper', () => {
  it('takes out its own alone, where the file was changed since, in any order', async () => {
    writeFileSync(join(home, '.gitconfig'), GIT);
    const hosts = ['a.example', 'b.example', 'c.example'];
    for (const host of hosts) await install('git', '--for', host, '--yes');
    await remove('git', '--for', 'b.example', '--yes');
    const left = readFileSync(join(home, '.gitconfig'), 'utf8');
    expect(['a.example', 'b.example', 'c.example'].map((host) => left.includes(host))).toEqual([true, false, true]);
    writeFileSync(join(home, '.gitconfig'), `${left}[core]\n\teditor = vi\n`);
    for (const host of ['a.example', 'c.example']) await remove('git', '--for', host, '--yes');
    expect(readFileSync(join(home, '.gitconfig'), 'utf8')).toBe(`${GIT}\n[core]\n\teditor = vi\n`);
  });

  it('leaves the users that others wrote, where the kubeconfig was changed since', async () => {
    mkdirSync(join(home, '.kube'));
    const path = join(home, '.kube/config');
    writeFileSync(path, KUBE);
    await install('kubectl', '--yes');
    writeFileSync(path, `${readFileSync(path, 'utf8')}current-context: one\n`);
    await remove('kubectl', '--yes');
    expect(parse(readFileSync(path, 'utf8'))).toEqual({ ...(parse(KUBE) as object), 'current-context': 'one' });
  });

  it.each(['', '[core]\n\teditor = vi\n'])(
    'is gone after two installs and one removal, with %j in between',
    async (more) => {
      const path = join(home, '.gitconfig');
      writeFileSync(path, GIT);
      await install('git', '--for', 'a.example', '--yes');
      writeFileSync(path, more, { flag: 'a' });
      await install('git', '--for', 'a.example', '--username', 'x', '--yes');
      await remove('git', '--for', 'a.example', '--yes');
      expect(readFileSync(path, 'utf8')).toBe(more === '' ? GIT : `${GIT}\n${more}`);
    },
  );

  it('writes what git itself reads as it was meant', async () => {
    await install('git', '--for', 'git.example.com', '--username', 'x-access-token', '--yes');
    const env = { PATH: process.env['PATH'], HOME: home };
    const read = (key: string) =>
      execFileSync('git', ['config', '--get-all', key], { encoding: 'utf8', cwd: home, env });
    const helpers = read('credential.https://git.example.com.helper').split('\n');
    expect(helpers[0]).toBe('');
    expect(helpers[1]).toMatch(
      /^!.* token --format git --for git\.example\.com --profile corp --username x-access-token$/,
    );
  });

  it.each(['{', '[]', '"x"', 'a: [b\n'])('leaves a file alone that cannot be read: %j', async (text) => {
    for (const folder of ['.docker', '.kube']) mkdirSync(join(home, folder));
    writeFileSync(join(home, '.docker/config.json'), text);
    writeFileSync(join(home, '.kube/config'), text);
    const docker = await install('docker', '--for', 'a.example', '--yes');
    expect([docker.code, docker.err]).toEqual([1, expect.stringContaining('left as it is')]);
    expect(readFileSync(join(home, '.docker/config.json'), 'utf8')).toBe(text);
    await install('kubectl', '--yes');
    if (text !== '{') expect(readFileSync(join(home, '.kube/config'), 'utf8')).toBe(text);
  });

  it.each([
    ['git', '--for', 'a"]\n[core]\n\tsshCommand = evil'],
    ['git', '--for', 'https://a.example'],
    ['docker', '--for', '../../x'],
    ['git', '--for', 'a.example', '--username', 'a\nb'],
    ['git'],
    ['kubectl', '--for', 'a.example'],
  ])('refuses what would break out of another tool’s file, or is missing: %j', async (tool, ...more) => {
    expect((await install(tool, ...more, '--yes')).code).toBe(64);
    expect(existsSync(join(home, '.gitconfig'))).toBe(false);
  });
});
