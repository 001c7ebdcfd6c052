import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from '../../config/environment.ts';

/** How another program starts this one: by its name where the shell finds it, else by where it is. */
export function ownCommand(environment: Environment): string[] {
  const script = realpathSync(process.argv[1] ?? '');
  const isOnPath = (environment['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      return folder !== '' && realpathSync(join(folder, 'gatehouse')) === script;
    } catch {
      return false;
    }
  });
  return isOnPath ? ['gatehouse'] : [process.execPath, script];
}

/** For sh, which git and docker's helper start it with. */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}
