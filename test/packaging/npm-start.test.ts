import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../scripts/build-if-older.mjs');
const BUILD = `node -e "fs.mkdirSync('dist',{recursive:true});fs.writeFileSync('dist/main.js','built')"`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gatehouse-start-'));
  for (const folder of ['scripts', 'src/inner', 'dist', 'node_modules/typescript']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await copyFile(SCRIPT, join(root, 'scripts/build-if-older.mjs'));
  for (const file of ['src/inner/a.ts', 'dist/main.js', 'tsconfig.json', 'tsconfig.build.json']) await put(file, '');
  await put('package.json', JSON.stringify({ scripts: { build: BUILD } }));
  for (const file of ['src/inner/a.ts', 'src/inner', 'src', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    await age(file, 60);
  }
  await age('dist/main.js', 30);
});
afterEach(() => rm(root, { recursive: true }));

const put = (file: string, content: string) => writeFile(join(root, file), content);
const age = (file: string, seconds: number) =>
  utimes(join(root, file), new Date(), new Date(Date.now() - seconds * 1000));

function start() {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build-if-older.mjs')], {
    encoding: 'utf8',
  });
  return { status, stderr };
}

describe('npm start', () => {
  it('runs what was built where the sources are older', () => {
    expect(start()).toEqual({ status: 0, stderr: '' });
  });

  it.each([
    ['a source is newer', () => age('src/inner/a.ts', 10)],
    ['a source was taken away', () => rm(join(root, 'src/inner/a.ts'))],
    ['a dependency may be another', () => age('package.json', 10)],
    ['nothing was built yet', () => rm(join(root, 'dist'), { recursive: true })],
  ])('builds first where %s, as after a git pull', async (_, change) => {
    await change();
    const { status, stderr } = start();
    expect(status).toBe(0);
    expect(stderr).toMatch(/uilding\./);
    expect(start()).toEqual({ status: 0, stderr: '' });
  });

  it('runs what there is where no compiler is, and says so', async () => {
    await rm(join(root, 'node_modules/typescript'), { recursive: true });
    await age('src/inner/a.ts', 10);
    const { status, stderr } = start();
    expect(status).toBe(0);
    expect(stderr).toMatch(/newer than dist, and there is no compiler/);
    await rm(join(root, 'dist/main.js'));
    expect(start()).toMatchObject({ status: 1, stderr: expect.stringMatching(/dist is not there/) });
  });

  it('fails where the build fails', async () => {
    await put('package.json', JSON.stringify({ scripts: { build: 'exit 3' } }));
    expect(start().status).not.toBe(0);
  });
});
