import { createHash } from 'node:crypto';
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStateFolder } from '../profiles/state-folder.ts';
import { type FileChange, textOf } from './file-change.ts';

/**
 * What a file was before it was changed, so that it can be put back byte for byte where nobody has changed it since. Kept
 * beside the tokens: such files may have secrets.
 */
interface KeptBefore {
  before: string | undefined;
  /** Of what was written. */
  hash: string;
}

/** Of one change: several may stand in one file, and go in any order. */
export interface KeptPlace {
  folder: string;
  of: string;
}

export async function keepBefore({ folder, of }: KeptPlace, { path, before, after }: FileChange): Promise<void> {
  openStateFolder(folder);
  mkdirSync(join(folder, 'helpers'), { recursive: true, mode: 0o700 });
  // A second install finds the first one's text: what was before both is what comes back.
  const earlier = await keptAt({ folder, of }, path);
  const first = earlier !== undefined && earlier.hash === hashOf(before ?? '') ? earlier.before : before;
  const kept: KeptBefore = { before: first, hash: hashOf(after ?? '') };
  writeFileSync(placeOf({ folder, of }, path), JSON.stringify(kept), { mode: 0o600 });
}

/** How the file is to be left: as it was, where it is as we wrote it; else by `without`, which takes ours out. */
export async function changeBack(
  { folder, of }: KeptPlace,
  path: string,
  without: (text: string) => string | undefined,
): Promise<FileChange | undefined> {
  const before = await textOf(path);
  if (before === undefined) return undefined;
  const kept = await keptAt({ folder, of }, path);
  if (kept !== undefined && kept.hash === hashOf(before) && isFreeOfOurs(kept, without)) {
    return { path, before, after: kept.before };
  }
  const after = without(before);
  return after === before ? undefined : { path, before, after };
}

/** A text that has ours in it was kept after somebody changed the file between two installs. */
function isFreeOfOurs({ before }: KeptBefore, without: (text: string) => string | undefined): boolean {
  return before === undefined || without(before) === before;
}

async function keptAt(place: KeptPlace, path: string): Promise<KeptBefore | undefined> {
  const text = await textOf(placeOf(place, path));
  return text === undefined ? undefined : (JSON.parse(text) as KeptBefore);
}

export function forgetBefore({ folder, of }: KeptPlace, path: string): void {
  try {
    unlinkSync(placeOf({ folder, of }, path));
  } catch {
    // None was kept.
  }
}

function placeOf({ folder, of }: KeptPlace, path: string): string {
  return join(folder, 'helpers', hashOf(`${path}\n${of}`).slice(0, 32));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
