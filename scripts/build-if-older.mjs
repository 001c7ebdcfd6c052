/**
 * Builds before `npm start` where the sources are newer than what was built: after a `git pull`, most often. An
 * installation that has no compiler any more runs what it has, and is told so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist/main.js');

/** Of files and folders: a file that was taken away changes its folder. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) => newest(join(root, name)));
const isThere = existsSync(built);
if (!isThere || Math.max(...sources) > statSync(built).mtimeMs) {
  const canBuild = existsSync(join(root, 'node_modules/typescript')) && existsSync(join(root, 'src'));
  if (canBuild) {
    process.stderr.write(isThere ? 'The sources are newer than dist: building.\n' : 'Building.\n');
    const { status } = spawnSync('npm run build', { cwd: root, stdio: ['ignore', 2, 2], shell: true });
    process.exitCode = status ?? 1;
  } else if (isThere) {
    process.stderr.write(
      'The sources are newer than dist, and there is no compiler: `npm ci && npm run build` brings them in.\n',
    );
  } else {
    process.stderr.write('dist is not there, and there is no compiler: run `npm ci && npm run build`.\n');
    process.exitCode = 1;
  }
}
