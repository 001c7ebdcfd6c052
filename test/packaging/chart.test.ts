import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { helmFolder } from '../../interop/obtain/helm.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { METRICS } from '../../src/telemetry/metric-names.ts';
import { onPath, say } from '../support/programs.ts';
import { fromPyPI } from '../support/pypi.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const CHART = join(ROOT, 'deploy/helm/gatehouse');
const read = (file: string) => readFileSync(join(CHART, file), 'utf8');
const templates = readdirSync(join(CHART, 'templates')).map((file) => `templates/${file}`);

type Tree = { [name: string]: Tree } | string | number | boolean | null;
const valueAt = (tree: Tree, path: readonly string[]) =>
  path.reduce<Tree | undefined>((at, name) => (at !== null && typeof at === 'object' ? at[name] : undefined), tree);

describe('the chart, as text', () => {
  const values = parse(read('values.yaml')) as Tree;
  const schema = JSON.parse(read('values.schema.json')) as Tree;
  const chart = parse(read('Chart.yaml')) as { version: string; appVersion: string };

  it('is of this release', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
  });

  it('uses values that there are, each of which its schema knows', () => {
    const used = templates.flatMap((file) =>
      [...read(file).matchAll(/\.Values\.([\w.]+)/g)].map(([, path = '']) => path),
    );
    expect(used.length).toBeGreaterThan(20);
    const unknown = used.filter((path) => {
      const names = path.split('.');
      // What stands below `config` is gatehouse.yaml.
      const known = names[0] === 'config' ? ['config'] : names;
      const inSchema = known.flatMap((name) => ['properties', name]);
      return valueAt(values, names) === undefined || valueAt(schema, inSchema) === undefined;
    });
    expect(unknown).toEqual([]);
  });

  it('has no value that nothing uses, and none that its schema does not know', () => {
    const text = templates.map(read).join('\n');
    expect(Object.keys(values as object).filter((name) => !text.includes(`.Values.${name}`))).toEqual([]);
    const known = Object.keys(valueAt(schema, ['properties']) as object);
    expect(Object.keys(values as object).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('closes what it opens', () => {
    for (const file of templates) {
      const words = [...read(file).matchAll(/\{\{-?\s*(if|with|range|define|end)\b/g)].map(([, word]) => word);
      expect([file, words.filter((word) => word === 'end').length]).toEqual([file, words.length / 2]);
    }
  });

  it('grows by metrics that Gatehouse and its process have', () => {
    const text = read('templates/horizontalpodautoscaler.yaml');
    expect(METRICS).toHaveProperty('gatehouse_polls_total');
    expect(read('values.yaml')).toContain('rate of gatehouse_polls_total');
    expect([...text.matchAll(/metric: \{ name: (\w+) \}/g)].map(([, name]) => name)).toEqual([
      'gatehouse_polls_per_second',
      'nodejs_eventloop_lag_p99_seconds',
    ]);
  });

  it('has a configuration that Gatehouse takes, but for the files that a cluster brings', () => {
    const config = valueAt(values, ['config']) as object;
    const here = { ...config, storage: { driver: 'memory' }, keys: undefined };
    const text = JSON.stringify(here).replace(/"client_secret":\{[^}]*\}/, '"authentication":"none"');
    const { publicUrl } = readConfig('gatehouse.yaml', text, { GATEHOUSE_OPERATIONS_HOST: '0.0.0.0' });
    expect(publicUrl).toBe('https://login.example.com');
  });
});

/** On PATH, or built by `npm run chart` earlier: building it takes minutes, which is not this test's to spend. */
const helm = [onPath('helm'), join(helmFolder(), 'helm')].find((file) => file !== undefined && existsSync(file));
if (helm === undefined) say('no helm here: the chart is judged as text; npm run chart builds helm and renders it');
else describe('the chart, rendered by helm', () => renderedBy(helm));

function renderedBy(program: string): void {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-chart-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  interface Manifest {
    kind: string;
    metadata: { name: string };
    data?: Record<string, string>;
    spec: Record<string, never>;
  }
  async function rendered(values: object): Promise<Map<string, Manifest>> {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    const { stdout } = await run(program, ['template', 'login', CHART, '--kube-version', '1.30.0', '-f', file]);
    const all = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest | null);
    return new Map(all.filter((each) => each !== null).map((each) => [`${each.kind}/${each.metadata.name}`, each]));
  }

  it('is found right by helm lint', async () => {
    const { stdout } = await run(program, ['lint', '--strict', CHART]);
    expect(stdout).toContain('0 chart(s) failed');
  });

  it('runs as nobody in particular, with nothing to write, and time to drain', async () => {
    const all = await rendered({});
    expect([...all.keys()].sort()).toEqual([
      ...['ConfigMap/login', 'Deployment/login', 'Ingress/login', 'NetworkPolicy/login', 'PodDisruptionBudget/login'],
      ...['Service/login', 'ServiceAccount/login'],
    ]);
    const deployment = JSON.stringify(all.get('Deployment/login'));
    for (const part of [
      '"runAsNonRoot":true',
      '"readOnlyRootFilesystem":true',
      '"allowPrivilegeEscalation":false',
      '"terminationGracePeriodSeconds":30',
      '"image":"registry.example.com/gatehouse:0.2.0"',
    ]) {
      expect(deployment).toContain(part);
    }
    const yaml = all.get('ConfigMap/login')?.data?.['gatehouse.yaml'] ?? '';
    expect(parse(yaml)).toEqual(valueAt(parse(read('values.yaml')) as Tree, ['config']));
  });

  it('is what Kubernetes takes', { timeout: 300_000 }, async () => {
    const { stdout } = await run(program, ['template', 'login', CHART, '--kube-version', '1.30.0']);
    const file = join(folder, 'rendered.yaml');
    await writeFile(file, stdout);
    const validate = await fromPyPI('kubernetes-validate', 'kubernetes-validate');
    const said = await run(validate, ['--strict', file]);
    expect(`${said.stdout}${said.stderr}`.match(/passed for resource/g)).toHaveLength(7);
  });

  it('routes a path, and what RFC 8414 inserts before it', async () => {
    const all = await rendered({ config: { public_url: 'https://example.com/login/' } });
    const ingress = all.get('Ingress/login')?.spec as unknown as {
      rules: { host: string; http: { paths: { path: string }[] } }[];
    };
    expect(ingress.rules.map(({ host }) => host)).toEqual(['example.com']);
    expect(ingress.rules[0]?.http.paths.map(({ path }) => path)).toEqual([
      '/login',
      '/.well-known/oauth-authorization-server/login',
    ]);
  });

  it('has monitors, a growing deployment and a digest where they are wanted', async () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    const on = { enabled: true };
    const all = await rendered({ image: { digest }, podMonitor: on, serviceMonitor: on, autoscaling: on });
    for (const name of [
      'PodMonitor/login',
      'ServiceMonitor/login',
      'HorizontalPodAutoscaler/login',
      'Service/login-operations',
    ]) {
      expect([...all.keys()]).toContain(name);
    }
    const deployment = all.get('Deployment/login');
    expect(deployment?.spec).not.toHaveProperty('replicas');
    expect(JSON.stringify(deployment)).toContain(`registry.example.com/gatehouse@${digest}`);
  });

  it.each([
    [{ replicsa: 3 }, 'replicsa'],
    [{ replicas: 0 }, 'replicas'],
    [{ config: { public_url: 'http://login.example.com' } }, 'public_url'],
    [{ config: { listen: { port: 81 } } }, 'listen'],
    [{ image: { digest: 'latest' } }, 'digest'],
  ])('refuses %j', async (values, word) => {
    await expect(rendered(values)).rejects.toThrow(word);
  });
}
