import { mkdirSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../../config/environment.ts';

/** Something about the kept files is not as it must be; the message says what, and what to do. */
export class ProfileFileError extends Error {
  override readonly name = 'ProfileFileError';
}

const OTHERS = 0o077;

/** Where profiles and their tokens are kept: state of this person on this machine, and no configuration to copy about. */
export function stateFolder(environment: Environment, platform: NodeJS.Platform = process.platform): string {
  const { XDG_STATE_HOME: stated = '', HOME: home = '', LOCALAPPDATA: local = '' } = environment;
  // XDG Base Directory: a relative path there is to be ignored.
  if (isAbsolute(stated)) return join(stated, 'gatehouse');
  if (platform === 'win32' && isAbsolute(local)) return join(local, 'gatehouse');
  if (platform === 'darwin' && isAbsolute(home)) return join(home, 'Library/Application Support/gatehouse');
  if (isAbsolute(home)) return join(home, '.local/state/gatehouse');
  throw new ProfileFileError('There is no place to keep tokens: set HOME, or XDG_STATE_HOME to a folder of yours.');
}

/** Makes the folder, for its owner alone; one that others can enter is not used. */
export function openStateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  judgeOwner(folder, statSync(folder), 'chmod 700');
}

/** Tokens are not put where others read them, nor believed where others write them. Windows has no such modes. */
export function judgeOwner(path: string, found: { uid: number; mode: number }, mend: string): void {
  const own = process.getuid?.();
  if (own === undefined) return;
  if (found.uid !== own) {
    throw new ProfileFileError(
      `${path} belongs to another user (uid ${found.uid}), and is left alone. Move it away, or set XDG_STATE_HOME to a folder of yours.`,
    );
  }
  if ((found.mode & OTHERS) === 0) return;
  throw new ProfileFileError(
    `${path} is open to other users of this machine (mode ${(found.mode & 0o777).toString(8)}), and is left alone. If nobody else wrote it: ${mend} ${path}`,
  );
}
