import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/config/load-config.ts';
import { formatSigningKeySet, makeSigningKey } from '../../src/tokens/signing-key-set.ts';
import { findNginx } from '../support/nginx.ts';
import { installFromDebian, onPath } from '../support/programs.ts';
import { fromPyPI } from '../support/pypi.ts';
import { selfSigned } from '../support/samples/self-signed.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const deployed = (file: string) => join(root, 'deploy', file);
/** Of the design: how long a replica drains, and how long it may take after that. */
const STOPS_WITHIN_SECONDS = 15;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-deployment-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function tool(name: string, debianPackage: string): Promise<string> {
  if (onPath(name) === undefined) await installFromDebian(debianPackage);
  const program = onPath(name);
  if (program === undefined) throw new Error(`${name} is missing: apt-get install ${debianPackage}`);
  return program;
}

describe('the systemd unit', () => {
  const unit = deployed('systemd/gatehouse.service');

  it('is found right by systemd-analyze, and well protected', { timeout: 120_000 }, async () => {
    const analyze = await tool('systemd-analyze', 'systemd');
    // It wants the programs of the unit to be there.
    const text = (await readFile(unit, 'utf8')).replaceAll('/usr/bin/node', process.execPath);
    const here = join(folder, 'gatehouse.service');
    await writeFile(here, text);
    const socket = join(folder, 'gatehouse.socket');
    await copyFile(deployed('systemd/gatehouse.socket'), socket);
    const verified = await run(analyze, ['verify', '--man=no', here, socket]);
    expect(verified.stderr).toBe('');
    const { stdout } = await run(analyze, ['security', '--offline=true', '--threshold=20', here]);
    expect(stdout).toMatch(/exposure level for gatehouse\.service: [01]\.\d/);
  });

  it('gives it time to drain, reloads by SIGHUP, and does not restart what cannot work', async () => {
    const text = await readFile(unit, 'utf8');
    expect(Number(/^TimeoutStopSec=(\d+)s$/m.exec(text)?.[1])).toBeGreaterThan(STOPS_WITHIN_SECONDS);
    expect(text).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    expect(text).toMatch(/^RestartPreventExitStatus=78$/m);
  });

  it('has no plain line among the JSON of its journal', async () => {
    const text = await readFile(unit, 'utf8');
    expect(text).toMatch(/^ExecStart=.*--ready-line json$/m);
  });
});

describe('the nginx files', () => {
  it('are found right by nginx -t', { timeout: 300_000 }, async () => {
    const program = await findNginx();
    const { cert, key } = selfSigned();
    for (const each of ['gatehouse', 'ssl', 'log']) await mkdir(join(folder, each));
    await writeFile(join(folder, 'ssl/fullchain.pem'), cert);
    await writeFile(join(folder, 'ssl/key.pem'), key);
    for (const file of ['gatehouse-upstream.conf', 'gatehouse-proxy.conf']) {
      await copyFile(deployed(`nginx/${file}`), join(folder, 'gatehouse', file));
    }
    const site = (await readFile(deployed('nginx/gatehouse.conf'), 'utf8'))
      .replaceAll('/etc/ssl/gatehouse', `${folder}/ssl`)
      .replaceAll('/var/log/nginx', `${folder}/log`);
    await writeFile(join(folder, 'gatehouse/gatehouse.conf'), site);
    await writeFile(
      join(folder, 'nginx.conf'),
      `pid ${folder}/pid; events {} http { include gatehouse/gatehouse.conf; }`,
    );
    const { stderr } = await run(program, ['-t', '-p', folder, '-c', 'nginx.conf', '-e', join(folder, 'error.log')]);
    expect(stderr).toContain('test is successful');
    expect(stderr).not.toContain('[warn]');
  });
});

describe('the Kubernetes manifests', () => {
  const file = deployed('kubernetes/gatehouse.yaml');
  interface Manifest {
    kind: string;
    data?: Record<string, string>;
    spec?: { template?: { spec: { terminationGracePeriodSeconds: number } } };
  }
  const manifests = async () =>
    parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS() as Manifest);

  it('are found right by kubernetes-validate', { timeout: 300_000 }, async () => {
    const { stdout, stderr } = await run(await fromPyPI('kubernetes-validate', 'kubernetes-validate'), [
      '--strict',
      file,
    ]);
    const kinds = (await manifests()).length;
    expect(`${stdout}${stderr}`.match(/passed for resource/g)).toHaveLength(kinds);
    const more = await run(await fromPyPI('kubernetes-validate', 'kubernetes-validate'), [
      '--strict',
      deployed('kubernetes/ingress-subpath.yaml'),
    ]);
    expect(`${more.stdout}${more.stderr}`).toMatch(/passed for resource/);
  });

  it('have a configuration that Gatehouse takes, and give it time to drain', async () => {
    const secrets: Record<string, string> = {
      'redis-password': 'correct-horse',
      'redis-ca.pem': selfSigned().cert,
      'sealing-key': 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
      'signing-keys.json': formatSigningKeySet([await makeSigningKey('RS256', 1), await makeSigningKey('ES256', 1)]),
      'upstream-secret': 'battery-staple',
    };
    await mkdir(join(folder, 'secrets'));
    // As Kubernetes mounts them by the `defaultMode` of the manifest.
    const files = Object.entries(secrets).map(([name, text]) => ({ path: join(folder, 'secrets', name), text }));
    for (const { path, text } of files) await writeFile(path, text, { mode: 0o440 });
    const all = await manifests();
    const yaml = all.find(({ kind }) => kind === 'ConfigMap')?.data?.['gatehouse.yaml'] ?? '';
    const here = yaml.replaceAll('/run/secrets/gatehouse', join(folder, 'secrets'));
    const config = readConfig('gatehouse.yaml', here, { GATEHOUSE_OPERATIONS_HOST: '0.0.0.0' });
    expect(config.operations).toEqual({ host: '0.0.0.0', port: 9090 });
    expect(config.warnings).toEqual([]);
    const pod = all.find(({ kind }) => kind === 'Deployment')?.spec?.template?.spec;
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(STOPS_WITHIN_SECONDS);
    expect(parse(yaml)).not.toHaveProperty('listen');
  });
});
