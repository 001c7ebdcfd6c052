import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NotObtainedError, obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

export interface DebianFiles {
  file(path: string): string;
  /** Where the libraries are that came with it. */
  libraries: string;
  /** Runs a program with them, for what comes from a suite whose C library is newer than the system's. */
  run(path: string): readonly string[];
  version(name: string): Promise<string>;
}

const IS_ARM = process.arch === 'arm64';

/**
 * Packages of Debian's, unpacked beside the system: nothing is installed, and no service of theirs is started.
 *
 * @param suite another than the system's own, from the same mirror; what they need of the C library must be among them
 */
export async function debianFiles(name: string, packages: readonly string[], suite?: string): Promise<DebianFiles> {
  const wanted = shortHash([suite ?? '', ...packages].join(' '));
  const folder = await once(cacheFolder('debian', `${name}-${wanted}`), async (empty) => {
    const options = suite === undefined ? [] : await suiteOptions(suite, join(empty, 'apt'));
    const download = ['apt-get', ...options, 'download', '-qq', ...packages];
    if (suite !== undefined) await obtainBy(['apt-get', ...options, 'update', '-qq']);
    await obtainBy(download, { cwd: empty }).catch(async () => {
      // The lists of a new machine are empty, and those of an old one name what the mirror has no more.
      await obtainBy(['apt-get', ...options, 'update', '-qq']);
      await obtainBy(download, { cwd: empty });
    });
    for (const file of await readdir(empty)) {
      if (file.endsWith('.deb')) await obtainBy(['dpkg', '-x', join(empty, file), join(empty, 'root')]);
    }
  });
  const root = join(folder, 'root');
  const libraries = join(root, 'usr', 'lib', `${IS_ARM ? 'aarch64' : 'x86_64'}-linux-gnu`);
  const loader = join(libraries, IS_ARM ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2');
  return {
    libraries,
    file: (path) => join(root, path),
    run: (path) => [loader, '--library-path', libraries, join(root, path)],
    version: async (of) => {
      const file = (await readdir(folder)).find((each) => each.startsWith(`${of}_`)) ?? '';
      return file.split('_')[1] ?? '';
    },
  };
}

/** Lists and settings of apt's in a folder of their own, so that the system's stay as they are. */
async function suiteOptions(suite: string, folder: string): Promise<string[]> {
  const format = '$(ORIGIN) $(RELEASE) $(SITE)';
  const mirrors = await obtainBy(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  // `bookworm-security` and the like have mirrors of their own.
  const mirror = /^Debian [a-z]+ (\S+)$/m.exec(mirrors)?.[1];
  if (mirror === undefined) throw new NotObtainedError(`no mirror of Debian’s is set up here, so nothing of ${suite}`);
  const lists = join(folder, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${key}] ${mirror} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::Lists': lists,
    'Dir::Cache': join(folder, 'cache'),
  };
  return Object.entries(settings).flatMap(([setting, value]) => ['-o', `${setting}=${value}`]);
}
