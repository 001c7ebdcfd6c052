import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstSignIn } from '../support/broker/first-sign-in.ts';
import { onPath } from '../support/programs.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const MINUTE = 60_000;
/** What a host that writes TypeScript for Node has besides, and nothing more. */
const TYPES_OF_THE_HOST = ['@types/node', 'undici-types'];

interface LockedPackage {
  version?: string;
  resolved?: string;
  dev?: boolean;
  dependencies?: Record<string, string>;
  bin?: Record<string, string>;
}

const { NODE_ENV: _, VITEST: __, NODE_OPTIONS: ___, ...inherited } = process.env;
const environment = { ...inherited, npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' };

let folder: string;
let host: string;
let packed: string[];

/** What `npm publish` would send, built from a copy, so that other tests keep the `dist` that they run. */
async function pack(): Promise<{ tarball: string; files: string[] }> {
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  const left = new Set(['.git', '.cache', 'dist', 'node_modules']);
  for (const name of readdirSync(ROOT)) {
    if (!left.has(name)) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: copy, env: environment, maxBuffer: 16 * 1024 * 1024 });
  const [sent] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { filename: string; files: { path: string }[] }[];
  return { tarball: join(folder, sent?.filename ?? ''), files: sent?.files.map(({ path }) => path) ?? [] };
}

/** Installs the tarball as npm does for anybody, in the versions of our lockfile, so that no registry need be asked. */
async function install(tarball: string): Promise<void> {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  // The root's entry is how a registry describes the package.
  const { dependencies = {}, version = '', bin = {} } = lock.packages[''] ?? {};
  const types = TYPES_OF_THE_HOST.map((name) => [name, lock.packages[`node_modules/${name}`]?.version ?? ''] as const);
  const wanted = Object.fromEntries([['gatehouse-broker', `file:${tarball}`], ...types]);
  const others = Object.entries(lock.packages).filter(
    ([path, each]) => path !== '' && (each.dev !== true || types.some(([name]) => path === `node_modules/${name}`)),
  );
  const packages = {
    '': { name: 'host', dependencies: wanted },
    ...Object.fromEntries(others.map(([path, each]) => [path, { ...each, dev: undefined }])),
    'node_modules/gatehouse-broker': { version, resolved: `file:${tarball}`, dependencies, bin },
  };
  writeFileSync(join(host, 'package.json'), JSON.stringify({ name: 'host', type: 'module', dependencies: wanted }));
  writeFileSync(join(host, 'package-lock.json'), JSON.stringify({ name: 'host', lockfileVersion: 3, packages }));
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: host, env: environment });
}

/** Resolves with what a program printed, and how it ended. */
async function outcome(program: string, args: readonly string[]): Promise<{ code: number; words: string }> {
  const limits = { cwd: host, env: environment, timeout: 4 * MINUTE, maxBuffer: 16 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await run(program, args, limits);
    return { code: 0, words: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout: string; stderr: string };
    return { code: code ?? 1, words: stdout + stderr };
  }
}

const inPackage = (file: string) => readFileSync(join(host, 'node_modules/gatehouse-broker', file), 'utf8');

/** What the files import, each by its path in the package. */
function reachable(entries: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file) || !packed.includes(file)) return;
    seen.add(file);
    const from = /(?:from |import |import\()\s*['"](\.[^'"]+)['"]/g;
    for (const [, path = ''] of inPackage(file).matchAll(from)) {
      const target = join(dirname(file), path);
      follow(file.endsWith('.d.ts') ? target.replace(/\.[jt]s$/, '.d.ts') : target);
    }
  };
  for (const entry of entries) follow(entry);
  return seen;
}

function bytesIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}

const compile = (...files: string[]) =>
  outcome(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    ...['--strict', '--skipLibCheck', 'false', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'],
    ...['--module', 'nodenext', '--target', 'es2023', '--types', 'node'],
    ...['--rewriteRelativeImportExtensions', '--outDir', 'out'],
    ...files,
  ]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-packed-'));
  host = join(folder, 'host');
  mkdirSync(host);
  const { tarball, files } = await pack();
  packed = files;
  await install(tarball);
  cpSync(join(import.meta.dirname, 'third-store'), host, { recursive: true });
}, 6 * MINUTE);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is published', () => {
  it('was built for it, and names every file that package.json points at', () => {
    const { bin, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
      exports: Record<string, string | Record<string, string>>;
    };
    const named = [bin, ...Object.values(exports)].flatMap((each) =>
      typeof each === 'string' ? each : Object.values(each),
    );
    expect(named.map((file) => file.replace(/^\.\//, '')).filter((file) => !packed.includes(file))).toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'config/gatehouse.example.yaml']));
  });

  it('is what runs and what explains it: no maps without their sources, no tests, nothing private', () => {
    const homes =
      /^(dist|views)\/|^config\/gatehouse\.example\.yaml$|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    expect(packed.filter((file) => !homes.test(file) || file.endsWith('.map'))).toEqual([]);
    const mapped = packed.filter(
      (file) =>
        /\.[jt]s$/.test(file) &&
        readFileSync(join(host, 'node_modules/gatehouse-broker', file), 'utf8').includes('sourceMappingURL'),
    );
    expect(mapped).toEqual([]);
  });

  it('leaves the pages in the clone as they were', () => {
    const copy = join(folder, 'copy');
    for (const page of ['README.md', 'CHANGELOG.md']) {
      expect(readFileSync(join(copy, page), 'utf8')).toBe(readFileSync(join(ROOT, page), 'utf8'));
    }
    expect(existsSync(join(copy, '.cache/pack/README.md'))).toBe(false);
  });

  it('has no page with a link that leads nowhere: within the package, or whole', () => {
    const { homepage, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const repository = homepage.replace('#readme', '');
    const links = packed
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => [...inPackage(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target));
    const ours = links.filter((target) => target.startsWith(`${repository}/`));
    expect(ours.length).toBeGreaterThan(20);
    // Of this release, and there in this clone.
    const form = new RegExp(`^${repository}/(blob|tree|raw)/v${version}/([^#]+)`);
    expect(ours.filter((target) => !existsSync(join(ROOT, form.exec(target)?.[2] ?? '\0')))).toEqual([]);
    const relative = links.filter((target) => !/^(\w+:|#)/.test(target));
    expect(relative.filter((target) => !packed.includes(target.replace(/#.*$/, '')))).toEqual([]);
  });

  it('has no file that nothing leads to', () => {
    const entries = [
      'dist/index.js',
      'dist/contract.js',
      'dist/cli/gatehouse.js',
      'dist/main.js',
      'dist/cli/healthcheck.js',
    ];
    // The process beside, which is named by its address; and types, from what the package exports.
    const seen = reachable([
      ...entries,
      'dist/cli/start/config-reader.js',
      'dist/cli/start/workers/worker.js',
      'dist/index.d.ts',
      'dist/contract.d.ts',
    ]);
    const code = packed.filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file));
    expect(code.filter((file) => !seen.has(file))).toEqual([]);
    const rest = packed.filter((file) => file.startsWith('dist/') && !code.includes(file));
    expect(rest.toSorted()).toEqual(['dist/gatehouse.1', 'dist/gatehouse.schema.json']);
  });

  it('has a schema with a name, for editors, and by the package’s own', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const schema = JSON.parse(inPackage('dist/gatehouse.schema.json'));
    expect(schema).toMatchObject({
      $id: expect.stringContaining(`/v${version}/`),
      required: expect.arrayContaining(['public_url']),
    });
  });

  it('is small: what docs/operations/install.md says of it holds', () => {
    const page = readFileSync(join(ROOT, 'docs/operations/install.md'), 'utf8');
    const [, megabytes = '', packages = ''] = /(\d+) MB on disk, (\d+) packages/.exec(page) ?? [];
    const lock = JSON.parse(readFileSync(join(host, 'node_modules/.package-lock.json'), 'utf8'));
    const installed = Object.keys(lock.packages).filter(
      (path) => !TYPES_OF_THE_HOST.includes(path.replace('node_modules/', '')),
    );
    expect(installed.length).toBeLessThanOrEqual(Number(packages));
    const bytes = installed
      .filter((path) => !/node_modules.*node_modules/.test(path))
      .reduce((sum, path) => sum + bytesIn(join(host, path)), 0);
    expect(bytes / 1e6).toBeLessThanOrEqual(Number(megabytes));
    expect([Number(megabytes), Number(packages)]).toEqual([
      expect.toSatisfy((size) => size <= 40),
      expect.toSatisfy((count) => count <= 130),
    ]);
  });

  it('has a command that works', async () => {
    const { code, words } = await outcome(join(host, 'node_modules/.bin/gatehouse'), ['schema']);
    expect([code, words.includes('public_url')], words).toEqual([0, true]);
  });
});

describe('a storage of a host’s own, against what is published', { timeout: 5 * MINUTE }, () => {
  it('is type-checked strictly, with the types of the package’s own dependencies only, and passes the contract', async () => {
    expect(await compile('third-storage.ts', 'third-storage-suite.ts')).toEqual({ code: 0, words: '' });
    const { code, words } = await outcome(process.execPath, [
      '--test',
      '--test-reporter=tap',
      'out/third-storage-suite.js',
    ]);
    expect(code, words.slice(-4000)).toBe(0);
    expect(Number(/^# tests (\d+)$/m.exec(words)?.[1])).toBeGreaterThan(60);
    expect(words).toMatch(/^# fail 0$/m);
    expect(words).toMatch(/ok \d+ - answers an outage with 503 temporarily_unavailable/);
  });

  it('fails the contract where it says an outage in words of its own', async () => {
    const was = readFileSync(join(host, 'out/third-storage.js'), 'utf8');
    const changed = was.replace(/throw new StorageUnavailableError\(/, 'throw new Error(');
    expect(changed).not.toBe(was);
    writeFileSync(join(host, 'out/third-storage.js'), changed);
    const { code, words } = await outcome(process.execPath, [
      '--test',
      '--test-reporter=tap',
      'out/third-storage-suite.js',
    ]);
    expect(code).not.toBe(0);
    expect(words).toMatch(/not ok \d+ - every verb says in time that nobody answers/);
    expect(words).toMatch(/not ok \d+ - answers an outage with 503 temporarily_unavailable/);
  });
});

describe('installed for everybody, where Node is and nothing else', { timeout: 5 * MINUTE }, () => {
  let prefix: string;
  let path: string;
  let bundle: string;
  beforeAll(async () => {
    // With its packages in it, so that no registry is asked; npm puts command and man page where it always does.
    const source = join(folder, 'bundle');
    cpSync(join(host, 'node_modules/gatehouse-broker'), source, { recursive: true });
    const lock = JSON.parse(readFileSync(join(host, 'node_modules/.package-lock.json'), 'utf8'));
    const others = Object.keys(lock.packages).filter((each) => !each.endsWith('/gatehouse-broker'));
    for (const each of others) cpSync(join(host, each), join(source, each), { recursive: true });
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const { scripts: _scripts, devDependencies: _development, ...rest } = manifest;
    writeFileSync(join(source, 'package.json'), JSON.stringify({ ...rest, bundleDependencies: true }));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', source], {
      cwd: source,
      env: environment,
      maxBuffer: 16 * 1024 * 1024,
    });
    const [sent] = JSON.parse(stdout) as { filename: string }[];
    bundle = join(source, sent?.filename ?? '');
    prefix = join(folder, 'prefix');
    const options = ['--prefix', prefix, '--offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', '--global', ...options, bundle], { cwd: folder, env: environment });
    const node = join(folder, 'node-alone');
    mkdirSync(node);
    symlinkSync(process.execPath, join(node, 'node'));
    path = [join(prefix, 'bin'), node].join(delimiter);
  }, 4 * MINUTE);

  it('says its version, and has a man page where man looks', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { stdout } = await run('gatehouse', ['--version'], { env: { PATH: path } });
    expect(stdout).toBe(`gatehouse ${version}\n`);
    const page = readFileSync(join(prefix, 'share/man/man1/gatehouse.1'), 'utf8');
    expect(page).toContain(`"Gatehouse ${version}"`);
    if (onPath('man') !== undefined) {
      const { stdout: shown } = await run('man', ['gatehouse'], {
        env: { ...environment, MANPATH: join(prefix, 'share/man'), MANPAGER: 'cat' },
      });
      expect(shown).toContain('gatehouse init');
    }
  });

  it('runs by npx, out of the tarball', async () => {
    const { stdout } = await run('npx', ['--offline', '--yes', `file:${bundle}`, '--version'], {
      cwd: folder,
      env: environment,
    });
    expect(stdout).toMatch(/^gatehouse \d/);
  });

  it('leads from init to a token', async () => {
    const program = join(prefix, 'bin/gatehouse');
    const yaml = await firstSignIn({ program, args: [], path }, (file) => readFileSync(file, 'utf8'));
    expect(yaml).toMatch(/^# yaml-language-server/);
  });
});

describe('the scripts of package.json', () => {
  it('are for any shell: Windows’ has no rm, no quotes but double ones, no variables before a command', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const odd = Object.entries(scripts).filter(([, line]) => {
      const plain = line.replaceAll(/"[^"]*"/g, 'TEXT');
      return /'|\$|;|`|(^|&& *)(rm|cp|mv|mkdir|cat|sh|bash|export|test|\w+=\S* )\b|\.\/|[^&]&[^&]|\|/.test(plain);
    });
    expect(odd).toEqual([]);
  });
});
