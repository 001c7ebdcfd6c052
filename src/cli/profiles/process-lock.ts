import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { holderHere, isGone } from './lock-holder.ts';

/**
 * A lock between processes, which nobody can take away from a holder that lives, and which a holder's death gives back.
 *
 * It is a file with a number in its name; whoever made the highest one holds the lock until that file is free: given back,
 * its holder's process gone, or not touched for a minute. Then whoever makes the next number has it, and `link` lets one of
 * them win. The highest is never removed, so no late judgement can take away another's lock, as it can where a lock is one
 * name that is removed and made again.
 */
export interface ProcessLock {
  /** Whether it is still ours: a machine that slept may have lost it. */
  isHeld(): boolean;
  release(): void;
}

const STALE_MS = 60_000;
const TOUCH_MS = 10_000;

/** @returns `undefined` where another holds it now */
export function tryLock(folder: string, name: string): ProcessLock | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const highest = numbersOf(folder, name).at(-1);
  if (highest !== undefined && !isFree(pathOf(folder, name, highest))) return undefined;
  const own = (highest ?? 0) + 1;
  const path = pathOf(folder, name, own);
  if (!makeWhole(folder, path, JSON.stringify(holderHere()))) return undefined;
  const isHeld = () => isHighest(folder, name, own);
  if (!isHeld()) {
    // We judged by a number that was taken away meanwhile: others are further on.
    removeQuietly(path);
    return undefined;
  }
  // From the lowest: one that is late and looks finds its own gone, or a higher one there.
  for (const number of numbersOf(folder, name)) if (number < own) removeQuietly(pathOf(folder, name, number));
  const touching = setInterval(() => touch(path, Date.now()), TOUCH_MS);
  touching.unref();
  return {
    isHeld,
    release() {
      clearInterval(touching);
      // Long ago is free, and it is one step.
      touch(path, 0);
    },
  };
}

export interface Waiting {
  sleep: (milliseconds: number) => Promise<void>;
  now: () => number;
  /** Whether the lock is not needed any more. */
  isServed?: () => boolean;
}

/** @returns `undefined` where it is not needed any more, or another has held it all the time */
export async function waitForLock(
  folder: string,
  name: string,
  { sleep, now, isServed = () => false }: Waiting,
): Promise<ProcessLock | undefined> {
  const endMs = now() + STALE_MS;
  for (;;) {
    const lock = tryLock(folder, name);
    if (lock !== undefined || now() >= endMs) return lock;
    await sleep(30 + Math.random() * 40);
    if (isServed()) return undefined;
  }
}

function pathOf(folder: string, name: string, number: number): string {
  return join(folder, `${name}.${number}`);
}

function numbersOf(folder: string, name: string): number[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`) && /^[1-9]\d{0,14}$/.test(file.slice(name.length + 1)))
    .map((file) => Number(file.slice(name.length + 1)))
    .sort((a, b) => a - b);
}

function isHighest(folder: string, name: string, own: number): boolean {
  if (numbersOf(folder, name).at(-1) !== own) return false;
  // A folder that changes while it is listed may hide the highest; whoever made that one has removed ours by then.
  return statSync(pathOf(folder, name, own), { throwIfNoEntry: false }) !== undefined;
}

function isFree(path: string): boolean {
  try {
    if (Math.abs(Date.now() - statSync(path).mtimeMs) > STALE_MS) return true;
    return isGone(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** With all that is in it, in one step. */
function makeWhole(folder: string, path: string, text: string): boolean {
  const draft = join(folder, `draft-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    removeQuietly(draft);
  }
}

function touch(path: string, ms: number): void {
  try {
    utimesSync(path, ms / 1000, ms / 1000);
  } catch {
    // Taken over: it is not ours to touch.
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another was first.
  }
}
