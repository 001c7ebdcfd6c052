import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { testedLines } from '../../scripts/node-releases.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const listed = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
const workflows = listed('.github/workflows').filter((file) => /\.ya?ml$/.test(file));
const manifest = JSON.parse(read('package.json')) as {
  version: string;
  homepage: string;
  bugs: { url: string };
  repository: { url: string };
  scripts: Record<string, string>;
};

/** What is wrong with a workflow as to what it runs by a name that somebody else can move. */
function movable(workflow: string): string[] {
  const used = [...workflow.matchAll(/^\s*(?:- )?uses:\s*(.*)$/gm)].map(([, action = '']) => action);
  return used.filter((action) => !action.startsWith('./') && !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action));
}

/** The versions of a changelog, with their dates, newest first. */
function releasesIn(changelog: string): { version: string; date: string }[] {
  const headings = [...changelog.matchAll(/^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$/gm)];
  return headings.map(([, version = '', date = '']) => ({ version, date }));
}

describe('the workflows', () => {
  interface Workflow {
    permissions: unknown;
    jobs: Record<string, { strategy: { matrix: { node: string[] } }; steps: { run?: string }[]; permissions: unknown }>;
  }

  it('run what anybody can run, on every line of Node that engines names', () => {
    const { jobs } = parse(read('.github/workflows/ci.yml')) as Workflow;
    const [job] = Object.values(jobs);
    expect(job?.strategy.matrix.node).toEqual(testedLines());
    expect(job?.steps.map(({ run }) => run)).toContain('bash .ci/run');
  });

  it.each(workflows)('%s may read the code and no more, and pins what it uses', (file) => {
    const { permissions, jobs } = parse(read(file)) as Workflow;
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) expect(job.permissions).toEqual({ contents: 'read' });
    expect(movable(read(file))).toEqual([]);
    expect(read(file)).not.toMatch(/pull_request_target|\$\{\{ *secrets\./);
  });

  it.each([
    'actions/checkout@v5',
    'actions/checkout@main # v5.0.0',
    'actions/checkout@08c6903 # v5.0.0',
    'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8',
    'docker://node:24',
  ])('would not be let through with %s', (action) => {
    expect(movable(`    steps:\n      - uses: ${action}\n`)).toEqual([action]);
    expect(movable(`        uses: ${action}\n`)).toEqual([action]);
  });
});

describe('the version', () => {
  it('is the newest of the changelog, which goes back from there', () => {
    const releases = releasesIn(read('CHANGELOG.md'));
    expect(releases[0]?.version).toBe(manifest.version);
    expect(releases.map(({ date }) => date)).toEqual(
      releases
        .map(({ date }) => date)
        .sort()
        .toReversed(),
    );
    expect(read('CHANGELOG.md').indexOf('## [Unreleased]')).toBeLessThan(read('CHANGELOG.md').indexOf('## [0'));
    for (const { version } of releases) {
      expect(read('CHANGELOG.md')).toMatch(new RegExp(`^\\[${version}\\]: https:`, 'm'));
    }
  });

  it('is one that SECURITY.md supports', () => {
    const [major, minor] = manifest.version.split('.');
    expect(read('SECURITY.md')).toContain(`| ${major}.${minor} | yes |`);
  });

  it('is the lockfile’s', () => {
    const { version, packages } = JSON.parse(read('package-lock.json')) as {
      version: string;
      packages: Record<string, { version: string }>;
    };
    expect([version, packages['']?.version]).toEqual([manifest.version, manifest.version]);
  });
});

describe('.nvmrc', () => {
  it('names the line that is recommended', () => {
    const [, recommended] = /^\| (\d+) \|.*recommended.*\|$/m.exec(read('docs/operations/install.md')) ?? [];
    expect(read('.nvmrc').trim()).toBe(recommended);
    expect(testedLines()).toContain(recommended);
  });
});

it('no page has the marks of a merge that was not finished', () => {
  const pages = [...readdirSync(ROOT), ...listed('docs')].filter((file) => /\.(md|ya?ml|json)$/.test(file));
  expect(pages.filter((file) => /^(<{7}|>{7}) /m.test(read(file)))).toEqual([]);
});

describe('the pages for those who come by', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md'];
  const forms = listed('.github').filter((file) => /\.(md|ya?ml)$/.test(file));

  it('speak of one repository, the one that package.json names', () => {
    const { homepage, bugs, repository } = manifest;
    const home = homepage.replace(/#.*/, '');
    expect([bugs.url, repository.url]).toEqual([`${home}/issues`, `git+${home}.git`]);
    const ours = home.split('/').slice(0, 4).join('/');
    const named = [...pages, ...forms].flatMap(
      (file) => read(file).match(/https:\/\/github\.com\/gatehouse[\w./-]*/g) ?? [],
    );
    expect(named.filter((address) => address !== ours && !`${address}/`.startsWith(`${home}/`))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  it.each(pages)('%s leads only to files that there are', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(join(ROOT, dirname(file), path)))).toEqual([]);
  });

  it('CONTRIBUTING.md names scripts, files and names that there are', () => {
    const codes = [...read('CONTRIBUTING.md').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
    const commands = [...read('CONTRIBUTING.md').matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(commands.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
    const files = [...codes, ...(read('CONTRIBUTING.md').match(/test\/[\w./-]+/g) ?? [])].filter((code) =>
      /^(src|test|views|docs|config|\.ci)\/|^\.\w+$|\.(json|md)$/.test(code),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const sources = listed('src').filter((file) => file.endsWith('.ts'));
    const code = sources.map(read).join('\n');
    const names = codes.filter((each) => /^([A-Z_]{4,}|[A-Z][a-z]+[A-Za-z]*|[a-z]+[A-Z][A-Za-z]*)$/.test(each));
    expect(names).toEqual(expect.arrayContaining(['DEVICE_PATHS', 'EndpointName', 'LANGUAGES']));
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });

  it.each(forms.filter((file) => file.includes('ISSUE_TEMPLATE') && !file.endsWith('config.yml')))(
    '%s is a form: what it asks for has a name and a label of its own',
    (file) => {
      const form = parse(read(file)) as {
        name: string;
        description: string;
        body: { type: string; id?: string; attributes: { label?: string } }[];
      };
      expect(form.name && form.description).toBeTruthy();
      const asked = form.body.filter(({ type }) => type !== 'markdown');
      for (const { type } of asked) expect(['textarea', 'input', 'dropdown', 'checkboxes']).toContain(type);
      for (const each of [asked.map(({ id }) => id), asked.map(({ attributes }) => attributes.label)]) {
        expect(each).not.toContain(undefined);
        expect(new Set(each).size).toBe(asked.length);
      }
    },
  );
});
