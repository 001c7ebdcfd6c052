/** Runs the tests under other versions of Node, which npm has as packages: `npm run test:nodes [-- 22 24] [-- FILES]`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const isVersion = (word: string) => /^\d+$/.test(word);
const words = process.argv.slice(2);
const versions = words.some(isVersion) ? words.filter(isVersion) : ['22', '24'];
const files = words.filter((word) => !isVersion(word));
const packageName = `node-${process.platform}-${process.arch}`;

let failed = 0;
for (const version of versions) {
  const place = join(root, '.cache', 'nodes', version);
  const folder = join(place, 'node_modules', packageName, 'bin');
  if (!existsSync(join(folder, 'node'))) {
    process.stdout.write(`installing ${packageName}@${version} from npm\n`);
    execFileSync(
      'npm',
      ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', `${packageName}@${version}`],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  }
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  const node = join(folder, 'node');
  process.stdout.write(`\n==> ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(node, [vitest, 'run', ...files], { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
