import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changelogProblems, licenceProblems } from '../../scripts/release/release-problems.ts';

const ROOT = join(import.meta.dirname, '../..');
const TODAY = '2026-11-30';

describe('what is shipped', () => {
  it('is under licences that may be handed on with ours, and runs nothing when it is installed', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Parameters<
      typeof licenceProblems
    >[0];
    expect(licenceProblems(lock)).toEqual([]);
  });

  it.each([
    [{ license: 'GPL-3.0-only' }, 'licence GPL-3.0-only'],
    [{ license: 'MIT AND GPL-2.0' }, 'licence MIT AND GPL-2.0'],
    [{}, 'licence none'],
    [{ license: 'MIT', hasInstallScript: true }, 'runs a script'],
  ])('would not be with %j', (more, words) => {
    const packages = { 'node_modules/a/node_modules/@x/y': { version: '1.0.0', ...more } };
    expect(licenceProblems({ packages })).toEqual([expect.stringMatching(new RegExp(`^@x/y 1\\.0\\.0: ${words}`))]);
  });

  it.each([{ license: '(MIT OR GPL-2.0)' }, { license: 'MIT AND ISC' }, { license: 'GPL-3.0', dev: true }])(
    'may have %j',
    (more) => {
      expect(licenceProblems({ packages: { 'node_modules/a': { version: '1.0.0', ...more } } })).toEqual([]);
    },
  );
});

describe('the changelog of a release', () => {
  const good =
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-30\n\n### Added\n\n- A thing.\n\n[1.2.3]: https://example.com\n';

  it('names it with its date, and leaves nothing over', () =>
    expect(changelogProblems(good, '1.2.3', TODAY)).toEqual([]));

  it.each([
    ['## [1.2.3] - 2026-11-30', '## [1.2.3]', 'has no "## [1.2.3] - 2026-11-30"'],
    ['2026-11-30', '2026-12-01', 'in the future'],
    ['- A thing.', 'A thing.', 'says nothing of 1.2.3'],
    ['[Unreleased]\n', '[Unreleased]\n\n- Another.\n', 'under Unreleased'],
    ['[1.2.3]: https', '[1.2.4]: https', 'no link'],
    ['1.2.3]', '1x2x3]', 'has no'],
  ])('is refused with %j as %j', (was, is, words) => {
    expect(changelogProblems(good.replace(was, is), '1.2.3', TODAY)).toContainEqual(expect.stringContaining(words));
  });
});

describe('npm run release', () => {
  let folder: string;
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const release = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'scripts/release/release.ts'), '--root', folder, ...args],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, npm_config_cache: join(folder, '.cache/npm') },
      },
    );

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-release-'));
    git('init', '--quiet');
    git('config', 'user.name', 'Somebody');
    git('config', 'user.email', 'somebody@example.com');
    const manifest = {
      name: 'small',
      version: '1.2.3',
      license: 'Apache-2.0',
      repository: { url: 'git+https://forge.example/small.git' },
    };
    write('package.json', JSON.stringify({ ...manifest, files: ['index.js'] }));
    write('package-lock.json', JSON.stringify({ ...manifest, lockfileVersion: 3, packages: { '': manifest } }));
    write('index.js', '');
    write('.gitignore', '.cache/\n');
    write(
      'CHANGELOG.md',
      '## [Unreleased]\n\n## [1.2.3] - 2020-02-02\n\n- A thing.\n\n[1.2.3]: https://forge.example\n',
    );
    git('add', '--all');
    git('commit', '--quiet', '--message', 'feat: a thing');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes package, bill of materials, provenance and checksums that hold, sets the tag if told, and publishes nothing', {
    timeout: 60_000,
  }, () => {
    const { status, stdout, stderr } = release('--tag');
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(stdout).toContain('Nothing was published.');
    const out = join(folder, '.cache/release');
    expect(readdirSync(out).sort()).toEqual([
      'SHA256SUMS',
      'small-1.2.3.cdx.json',
      'small-1.2.3.provenance.json',
      'small-1.2.3.tgz',
    ]);
    expect(execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' })).toContain(
      'small-1.2.3.tgz: OK',
    );
    const bill = JSON.parse(readFileSync(join(out, 'small-1.2.3.cdx.json'), 'utf8')) as { bomFormat: string };
    expect(bill.bomFormat).toBe('CycloneDX');
    const statement = JSON.parse(readFileSync(join(out, 'small-1.2.3.provenance.json'), 'utf8')) as {
      subject: { name: string; digest: { sha256: string } }[];
      predicate: { buildDefinition: { resolvedDependencies: { digest: { gitCommit: string } }[] } };
    };
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
    for (const { name, digest } of statement.subject) expect(sums).toContain(`${digest.sha256}  ${name}\n`);
    const commit = git('rev-parse', 'HEAD').trim();
    expect(statement.predicate.buildDefinition.resolvedDependencies[0]?.digest.gitCommit).toBe(commit);
    expect(git('rev-list', '-1', 'v1.2.3').trim()).toBe(commit);
    expect(git('remote')).toBe('');
  });

  it('says everything that is wrong at once, and makes nothing', { timeout: 60_000 }, () => {
    rmSync(join(folder, '.cache/release'), { recursive: true, force: true });
    git('commit', '--quiet', '--allow-empty', '--message', 'feat: more');
    write('index.js', '// changed');
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toMatch(/not committed[\s\S]*v1\.2\.3 is another commit[\s\S]*2 things keep/);
    expect(readdirSync(join(folder, '.cache'))).not.toContain('release');
  });
});
