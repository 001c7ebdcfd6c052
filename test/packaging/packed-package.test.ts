import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
