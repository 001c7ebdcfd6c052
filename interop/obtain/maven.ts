import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NotObtainedError, obtainBy } from '../program.ts';
import { systemProgram } from './system-program.ts';

const GET = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get';

/** It brings a Java with it that can run programs, and not one that can compile them. */
export function mavenProgram(): Promise<string> {
  return systemProgram('mvn', 'maven', 'default-jre-headless');
}

/** A single file from Maven Central, checked against the digest that came with it. */
export async function mavenFile(group: string, artifact: string, version: string, type: string): Promise<string> {
  const folder = join(homedir(), '.m2', 'repository', ...group.split('.'), artifact, version);
  const file = join(folder, `${artifact}-${version}.${type}`);
  if (!existsSync(file)) {
    const wanted = [`-Dartifact=${group}:${artifact}:${version}:${type}`, '-Dtransitive=false'];
    await obtainBy([await mavenProgram(), '-q', '-B', GET, ...wanted]);
  }
  const expected = await readFile(`${file}.sha1`, 'utf8').catch(() => '');
  const found = createHash('sha1')
    .update(await readFile(file))
    .digest('hex');
  if (expected !== '' && !expected.startsWith(found)) throw new NotObtainedError(`${file} is damaged`);
  return file;
}
