import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { holderHere, isGone } from '../../../../src/cli/profiles/lock-holder.ts';
import { tryLock } from '../../../../src/cli/profiles/process-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-lock-'));
afterAll(() => rm(root, { recursive: true }));

let folder: string;
let count = 0;
beforeEach(() => {
  count += 1;
  folder = join(root, String(count));
});

/** A process that takes the lock and stays. */
const SOURCE = new URL('../../../../src/cli/profiles/process-lock.ts', import.meta.url).href;

async function holder(): Promise<ReturnType<typeof spawn>> {
  const script = `
    const { tryLock } = await import(${JSON.stringify(SOURCE)});
    const lock = tryLock(${JSON.stringify(folder)}, 'corp');
    process.stdout.write(lock === undefined ? 'busy' : 'held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(String(said)).toBe('held');
  return child;
}

describe('the lock between processes', () => {
  it('is one caller’s, until it is given back', () => {
    const lock = tryLock(folder, 'corp');
    expect(lock?.isHeld()).toBe(true);
    expect(tryLock(folder, 'corp')).toBeUndefined();
    expect(tryLock(folder, 'other')).toBeDefined();
    expect(tryLock(folder, 'corp.sign-in')).toBeDefined();
    lock?.release();
    expect(tryLock(folder, 'corp')).toBeDefined();
  });

  it('leaves one small file behind, however often it is taken', () => {
    for (let turn = 0; turn < 10; turn += 1) tryLock(folder, 'corp')?.release();
    expect(readdirSync(folder)).toEqual(['corp.10']);
  });

  it('is another process’s while that lives, and comes back when it is killed', async () => {
    const child = await holder();
    expect(tryLock(folder, 'corp')).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(tryLock(folder, 'corp')?.isHeld()).toBe(true);
  });

  it('comes back when its holder has not touched it for a minute, and the holder knows', () => {
    const slept = tryLock(folder, 'corp');
    const longAgo = Date.now() / 1000 - 61;
    utimesSync(join(folder, 'corp.1'), longAgo, longAgo);
    const next = tryLock(folder, 'corp');
    expect([slept?.isHeld(), next?.isHeld()]).toEqual([false, true]);
    // What the late one gives back is not the next one's.
    slept?.release();
    expect([next?.isHeld(), tryLock(folder, 'corp')]).toEqual([true, undefined]);
  });

  it('is not taken by one who judged by a number that is gone', () => {
    tryLock(folder, 'corp')?.release();
    const next = tryLock(folder, 'corp');
    // As a late one would: its number is made again, below the highest.
    writeFileSync(join(folder, 'corp.1'), JSON.stringify({ ...holderHere(), pid: 1 }));
    expect([next?.isHeld(), tryLock(folder, 'corp')]).toEqual([true, undefined]);
  });

  it('has one winner among many', () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const winners = Array.from({ length: 20 }, () => tryLock(folder, 'corp')).filter((lock) => lock !== undefined);
      expect(winners).toHaveLength(1);
      winners[0]?.release();
    }
  });

  it('stays with a holder that cannot be read or is of another machine, for its minute', () => {
    for (const text of ['', 'null', '{"pid":1}', JSON.stringify({ pid: 999_999_999, place: 'elsewhere' })]) {
      expect(isGone(text)).toBe(false);
    }
  });

  it('tells a process that is gone, also where its number was given again', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    expect(isGone(JSON.stringify(holderHere()))).toBe(false);
    expect(isGone(JSON.stringify({ ...holderHere(), pid }))).toBe(true);
    if (holderHere().begun !== undefined) expect(isGone(JSON.stringify({ ...holderHere(), begun: '1' }))).toBe(true);
  });
});
