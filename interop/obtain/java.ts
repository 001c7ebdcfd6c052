import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';
import { mavenProgram } from './maven.ts';
import { systemProgram } from './system-program.ts';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

export interface JavaProgram {
  command: readonly string[];
  /** @returns the version that Maven chose */
  version(artifact: string): Promise<string>;
}

/** Builds a small Java program of ours (`programs/<name>/<main>.java`), whose libraries come from Maven Central. */
export async function javaProgram(name: string, main: string): Promise<JavaProgram> {
  const source = new URL(`../programs/${name}/`, import.meta.url).pathname;
  const files = (await readdir(source)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(source, file), 'utf8')));
  const folder = await once(cacheFolder('java', `${name}-${shortHash(texts.join(''))}`), async (empty) => {
    await cp(source, join(empty, 'classes'), { recursive: true });
    const libraries = join(empty, 'lib');
    const copy = [COPY, `-DoutputDirectory=${libraries}`];
    await obtainBy([await mavenProgram(), '-q', '-B', '-f', join(source, 'pom.xml'), ...copy]);
    const compiler = await systemProgram('javac', 'default-jdk-headless');
    await obtainBy([compiler, '-cp', `${libraries}/*`, '-d', join(empty, 'classes'), join(source, `${main}.java`)]);
  });
  return {
    command: ['java', '-cp', `${folder}/lib/*:${folder}/classes`, main],
    version: async (artifact) => {
      const jars = await readdir(join(folder, 'lib'));
      const jar = jars.find((file) => file.startsWith(`${artifact}-`)) ?? '';
      return jar.slice(artifact.length + 1, -'.jar'.length);
    },
  };
}
