/**
 * `npm run release [-- --check | --tag]`: whether this commit may be the release that its package.json says; what is then handed out, in
 * `.cache/release`: the package, a bill of materials, provenance, checksums. `--tag` sets the tag as well. Nothing leaves this
 * machine: what is to be typed for that is printed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checksums, provenance } from './provenance.ts';
import { releaseProblems } from './release-problems.ts';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    tag: { type: 'boolean', default: false },
    root: { type: 'string', default: join(import.meta.dirname, '../..') },
  },
});
const { root } = values;
const startedAt = new Date().toISOString();

const problems = releaseProblems(root, startedAt.slice(0, 10));
for (const problem of problems) console.error(`- ${problem}`);
if (problems.length > 0) {
  console.error(
    `${problems.length} ${problems.length === 1 ? 'thing keeps' : 'things keep'} this commit from being a release.`,
  );
  process.exitCode = 1;
} else if (values.check) {
  console.log('This commit may be released.');
} else {
  release();
}

function release(): void {
  const { name, version, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    repository: { url: string };
  };
  const folder = join(root, '.cache/release');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  run('npm', 'pack', '--pack-destination', folder);
  const materials = join(folder, `${name}-${version}.cdx.json`);
  const bill = run(
    'npm',
    'sbom',
    '--sbom-format',
    'cyclonedx',
    '--sbom-type',
    'application',
    '--omit',
    'dev',
    '--package-lock-only',
  );
  writeFileSync(materials, bill);
  const files = readdirSync(folder).map((file) => join(folder, file));
  const built = {
    repository: repository.url.replace(/^git\+|\.git$/g, ''),
    commit: run('git', 'rev-parse', 'HEAD').trim(),
    ...{ version, startedAt, node: process.version, npm: run('npm', '--version').trim() },
  };
  const statement = join(folder, `${name}-${version}.provenance.json`);
  writeFileSync(statement, `${JSON.stringify(provenance(files, built), null, 2)}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), checksums([...files, statement]));

  const tag = `v${version}`;
  const isTagged = run('git', 'tag', '--list', tag) !== '';
  if (values.tag && !isTagged) run('git', 'tag', '--annotate', tag, '--message', `${name} ${version}`);
  for (const file of readdirSync(folder)) console.log(`.cache/release/${file}`);
  console.log(`
Nothing was published. From here:
  git tag --sign ${tag}, or npm run release -- --tag; git push origin ${tag}
  npm publish .cache/release/${name}-${version}.tgz
  VERSION=${version} REVISION=${built.commit} docker buildx bake -f deploy/image/docker-bake.hcl --push
  the files of .cache/release, with the lines of CHANGELOG.md, as the release of the tag`);
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
}
