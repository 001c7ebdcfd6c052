import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

export interface NpmPackages {
  /** For a program of ours to require from. */
  folder: string;
  version(name: string): Promise<string>;
}

/** Packages that the project itself has no use for; no script of theirs is run. */
export async function npmPackages(name: string, packages: readonly string[]): Promise<NpmPackages> {
  const folder = await once(cacheFolder('npm', `${name}-${shortHash(packages.join(' '))}`), async (empty) => {
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await obtainBy(['npm', 'install', '--prefix', empty, ...quiet, ...packages], { cwd: empty });
  });
  return {
    folder,
    version: async (of) => {
      const manifest = await readFile(join(folder, 'node_modules', of, 'package.json'), 'utf8');
      return (JSON.parse(manifest) as { version: string }).version;
    },
  };
}
