import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

export interface DebianFiles {
  file(path: string): string;
  /** Where the libraries are that came with it. */
  libraries: string;
  version(name: string): Promise<string>;
}

/** Packages of Debian's, unpacked beside the system: nothing is installed, and no service of theirs is started. */
export async function debianFiles(name: string, packages: readonly string[]): Promise<DebianFiles> {
  const folder = await once(cacheFolder('debian', `${name}-${shortHash(packages.join(' '))}`), async (empty) => {
    await obtainBy(['apt-get', 'download', '-qq', ...packages], { cwd: empty });
    for (const file of await readdir(empty)) {
      if (file.endsWith('.deb')) await obtainBy(['dpkg', '-x', join(empty, file), join(empty, 'root')]);
    }
  });
  const root = join(folder, 'root');
  const libraries = join(root, 'usr', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  return {
    libraries,
    file: (path) => join(root, path),
    version: async (of) => {
      const file = (await readdir(folder)).find((each) => each.startsWith(`${of}_`)) ?? '';
      return file.split('_')[1] ?? '';
    },
  };
}
