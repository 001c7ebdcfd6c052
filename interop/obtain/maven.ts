import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NotObtainedError } from '../peer.ts';
import { obtainBy } from '../program.ts';

const GET = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get';

/** A single file from Maven Central, checked against the digest that came with it. */
export async function mavenFile(group: string, artifact: string, version: string, type: string): Promise<string> {
  const folder = join(homedir(), '.m2', 'repository', ...group.split('.'), artifact, version);
  const file = join(folder, `${artifact}-${version}.${type}`);
  if (!existsSync(file)) {
    await obtainBy([
      'mvn',
      '-q',
      '-B',
      GET,
      `-Dartifact=${group}:${artifact}:${version}:${type}`,
      '-Dtransitive=false',
    ]);
  }
  const expected = await readFile(`${file}.sha1`, 'utf8').catch(() => '');
  const found = createHash('sha1')
    .update(await readFile(file))
    .digest('hex');
  if (expected !== '' && !expected.startsWith(found)) throw new NotObtainedError(`${file} is damaged`);
  return file;
}
