import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;

/** Writes a file that only its owner reads. It is there whole or not at all, and one that exists is left alone. */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  await stat(dirname(path));
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', OWNER_ONLY);
  try {
    await fill(file, text);
    // Unlike a rename, a link never takes another file's place.
    await link(draft, path);
  } finally {
    await unlink(draft);
  }
}

/**
 * Puts a new version of a file in its place, in one step, so that whoever reads it has the old one or the new one. The
 * draft's name is the lock: a second command at the same time is refused, for it would undo the first one's change.
 * Owner and mode stay, since the broker that reads it may be another user than the one who types the command.
 *
 * @param change gets the present text and answers the new one, or `undefined` to leave the file as it is
 */
export async function changePrivateFile(
  path: string,
  change: (text: string) => Promise<string | undefined>,
): Promise<void> {
  // Renaming onto a symbolic link would replace the link.
  const target = await realpath(path);
  const draft = `${target}.new`;
  const file = await open(draft, 'wx', OWNER_ONLY);
  let isRenamed = false;
  try {
    const text = await change(await readFile(target, 'utf8'));
    if (text !== undefined) {
      await keepOwner(file, target);
      await fill(file, text);
      await rename(draft, target);
      isRenamed = true;
    }
  } finally {
    await file.close();
    if (!isRenamed) await unlink(draft);
  }
}

async function keepOwner(file: FileHandle, target: string): Promise<void> {
  const existing = await open(target, 'r');
  try {
    const [was, is] = [await existing.stat(), await file.stat()];
    if (was.uid !== is.uid || was.gid !== is.gid) await file.chown(was.uid, was.gid);
    await file.chmod(was.mode & 0o777);
  } finally {
    await existing.close();
  }
}

async function fill(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
