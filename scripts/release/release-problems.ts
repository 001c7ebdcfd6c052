import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  version?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
}

/** Licences under which a package may be handed on with ours (Apache-2.0). Another one is a question for a person. */
const LICENCES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'Unlicense'];

/** What keeps this commit from being the release that its package.json says. */
export function releaseProblems(root: string, today: string): string[] {
  const { version } = readJson(root, 'package.json') as { version: string };
  return [
    ...treeProblems(root, version),
    ...changelogProblems(textOf(root, 'CHANGELOG.md'), version, today),
    ...versionProblems(root, version),
    ...licenceProblems(readJson(root, 'package-lock.json') as { packages: Record<string, LockedPackage> }),
  ];
}

function treeProblems(root: string, version: string): string[] {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain');
  const tag = `v${version}`;
  const at = git('tag', '--list', tag) === '' ? undefined : git('rev-list', '-1', tag);
  return [
    ...(changed === '' ? [] : [`the tree has changes that are not committed:\n${changed}`]),
    ...(at === undefined || at === git('rev-parse', 'HEAD')
      ? []
      : [
          `${tag} is another commit (${at.slice(0, 12)}): raise the version in package.json (npm version --no-git-tag-version)`,
        ]),
  ];
}

export function changelogProblems(changelog: string, version: string, today: string): string[] {
  const [heading, date] =
    new RegExp(`^## \\[${escaped(version)}\\] - (\\d{4}-\\d{2}-\\d{2})$`, 'm').exec(changelog) ?? [];
  if (heading === undefined || date === undefined) {
    return [`CHANGELOG.md has no "## [${version}] - ${today}": move what stands under Unreleased there`];
  }
  const sectionOf = (title: string) => changelog.split(`\n${title}\n`)[1]?.split(/\n## |\n\[/)[0] ?? '';
  return [
    ...(date > today ? [`CHANGELOG.md dates ${version} in the future: ${date}`] : []),
    ...(/^- /m.test(sectionOf(heading)) ? [] : [`CHANGELOG.md says nothing of ${version}`]),
    ...(/^- /m.test(sectionOf('## [Unreleased]'))
      ? [`CHANGELOG.md has lines under Unreleased: this commit has what ${version} does not name`]
      : []),
    ...(new RegExp(`^\\[${escaped(version)}\\]: https:`, 'm').test(changelog)
      ? []
      : [`CHANGELOG.md has no link for [${version}] at its end`]),
  ];
}

/** Wherever the number stands a second time. */
function versionProblems(root: string, version: string): string[] {
  const lock = (readJson(root, 'package-lock.json') as { version: string }).version;
  const chart = textOf(root, 'deploy/helm/gatehouse/Chart.yaml');
  const inChart = [...chart.matchAll(/^(version|appVersion): (.*)$/gm)].filter(([, , number]) => number !== version);
  return [
    ...(lock === version
      ? []
      : [`package-lock.json says ${lock}, package.json ${version}: npm install --package-lock-only`]),
    ...inChart.map(([line]) => `deploy/helm/gatehouse/Chart.yaml says "${line}", package.json ${version}`),
  ];
}

/** Of what is shipped: development dependencies are not. */
export function licenceProblems({ packages }: { packages: Record<string, LockedPackage> }): string[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .flatMap(([path, { license = 'none', version, hasInstallScript }]) => {
      const name = `${path.replace(/^.*node_modules\//, '')} ${version}`;
      return [
        ...(isKnown(license) ? [] : [`${name}: licence ${license}: read it, and decide (docs/dependencies.md)`]),
        ...(hasInstallScript === true ? [`${name}: runs a script when it is installed`] : []),
      ];
    });
}

/** `(MIT OR GPL-2.0)`: one that may be chosen is enough. `AND` needs all. */
function isKnown(license: string): boolean {
  const choices = license.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((each) => LICENCES.includes(each.trim())));
}

function textOf(root: string, file: string): string {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
}

function readJson(root: string, file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

function escaped(text: string): string {
  return text.replaceAll('.', '\\.');
}
