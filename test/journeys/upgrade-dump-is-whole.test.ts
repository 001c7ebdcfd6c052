import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as entryNames from '../../src/ledger/entry-keys.ts';
import type { StorageDump } from '../fixtures/dumped-storage.ts';

const FOLDER = join(import.meta.dirname, '../fixtures');
/** The dump of this release: `npx tsx test/fixtures/write-storage-dump.ts` writes it, and an older one is never touched. */
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
const dump = JSON.parse(readFileSync(join(FOLDER, `storage-${version}.json`), 'utf8')) as StorageDump;

describe('the dump that is kept of this release', () => {
  it('is of every kind that is ever stored', () => {
    // Called with names in place of ids, the functions that make keys give their patterns.
    const written = Object.entries(entryNames)
      .map(([name, make]) => [name, (make as (...words: string[]) => unknown)('ID', 'PART')] as const)
      .filter((each): each is [string, string] => typeof each[1] === 'string');
    expect(written.length).toBeGreaterThan(15);
    const keys = [...Object.keys(dump.entries), ...Object.keys(dump.indexes)];
    const missing = written.filter(([, pattern]) => {
      const [before = '', ...after] = pattern.split(/ID|PART/);
      return !keys.some((key) => key.startsWith(before) && after.every((part) => key.includes(part)));
    });
    // Of a lease and of three notes only that they exist is ever read; the rest is what release 0.1.0 alone wrote.
    const namesOnly = ['knownSidMark', 'refreshingLease', 'presentedEntry', 'refusedWishEntry'];
    const ofOlder = ['chainedRefreshEntry', 'usedEntry', 'refreshCountMark'];
    expect(missing.map(([name]) => name).toSorted()).toEqual([...namesOnly, ...ofOlder].toSorted());
    expect(keys.some((key) => key.startsWith('before:'))).toBe(true);
  });
});
