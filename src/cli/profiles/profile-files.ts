import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Profile } from './profile.ts';
import { isProfileName } from './profile-name.ts';
import { profileText, readProfileText } from './profile-text.ts';
import { judgeOwner, openStateFolder, ProfileFileError } from './state-folder.ts';

/** A token is a few kilobytes; what is larger is not ours. */
const MAX_BYTES = 4 * 1024 * 1024;
const OWNER_ONLY = 0o600;
const SUFFIX = '.json';
const DRAFT_STALE_MS = 60_000;
// A pipe must not hold up who opens it. Windows has neither flag, and `|` takes that for 0.
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * The files of the profiles, one each. A file is replaced in one step, so whoever reads it has the old one or the new one.
 * What cannot be trusted is told, and stays as it is: it may be all that somebody has.
 */
export interface ProfileFiles {
  folder: string;
  /** The folder of the locks. */
  locks: string;
  /** `undefined` where there is none. @throws {ProfileFileError} where there is one that cannot be trusted */
  read(name: string): Profile | undefined;
  /** Durable when it returns: a refresh token that is used up must not come back after a power cut. */
  write(profile: Profile): void;
  remove(name: string): void;
  /** Of all, also of those that cannot be trusted. */
  names(): string[];
}

export function profileFiles(folder: string): ProfileFiles {
  const pathOf = (name: string) => join(folder, name + SUFFIX);
  return {
    folder,
    locks: join(folder, 'locks'),
    read(name) {
      const path = pathOf(name);
      const text = readOwnFile(path);
      const profile = text === undefined ? undefined : readProfileText(text, name);
      if (text === undefined || (profile !== undefined && profile !== 'version')) return profile as Profile | undefined;
      const why =
        profile === 'version' ? 'was written by another version of Gatehouse' : 'is broken off, or was changed';
      throw new ProfileFileError(
        `${path} ${why}, and is left as it is. To start anew, move it away and run: gatehouse login --profile ${name}`,
      );
    },
    write(profile) {
      openStateFolder(folder);
      removeDrafts(folder, profile.name, DRAFT_STALE_MS);
      replaceFile(pathOf(profile.name), profileText(profile), folder);
    },
    remove(name) {
      removeDrafts(folder, name, 0);
      unlinkSync(pathOf(name));
      syncFolder(folder);
    },
    names() {
      try {
        return readdirSync(folder)
          .filter((file) => file.endsWith(SUFFIX))
          .map((file) => file.slice(0, -SUFFIX.length))
          .filter(isProfileName)
          .sort();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    },
  };
}

/** What is judged is what is read: the descriptor, not the name, which might be another file by then. */
function readOwnFile(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw new ProfileFileError(`${path} is a symbolic link, and is left alone. Move it away.`);
    if (code === 'EACCES') throw new ProfileFileError(`${path} cannot be read by this user, and is left alone.`);
    throw error;
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new ProfileFileError(`${path} is no file, and is left alone. Move it away.`);
    judgeOwner(path, found, 'chmod 600');
    if (found.size > MAX_BYTES) throw new ProfileFileError(`${path} is too large to be a profile, and is left alone.`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** The order counts: whole on the disk under another name, then in its place, then the place on the disk. */
function replaceFile(path: string, text: string, folder: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  let isRenamed = false;
  const file = openSync(draft, 'wx', OWNER_ONLY);
  try {
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    isRenamed = true;
  } finally {
    if (!isRenamed) unlinkSync(draft);
  }
  syncFolder(folder);
}

/** A process that was killed while it wrote leaves its draft, which has tokens in it. */
function removeDrafts(folder: string, name: string, olderThanMs: number): void {
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(`${name}${SUFFIX}.`) || !file.endsWith('.draft')) continue;
    const path = join(folder, file);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs >= olderThanMs) unlinkSync(path);
  }
}

function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const opened = openSync(folder, O_RDONLY);
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
