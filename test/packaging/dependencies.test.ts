import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const [packages = '', leans = ''] = read('docs/dependencies.md').split('\n## What nobody promises\n');

/** The cells of a table, without its head. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

const codesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('docs/dependencies.md', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const rows = rowsOf(packages).map(([names = '', why, tests, wayOut]) => ({
    names: names.replace(/ \(.*\)$/, '').split(', '),
    isForDevelopment: names.includes('(development'),
    cells: [why, tests, wayOut],
    tests: codesIn(tests),
  }));

  it('has each package once, and says whether it is for development', () => {
    const named = (isForDevelopment: boolean) =>
      rows.filter((row) => row.isForDevelopment === isForDevelopment).flatMap(({ names }) => names);
    expect(named(false).sort()).toEqual(Object.keys(dependencies ?? {}).sort());
    expect(named(true).sort()).toEqual(Object.keys(devDependencies ?? {}).sort());
  });

  it('gives a reason, a test that there is, and a way out for each', () => {
    for (const { names, cells, tests } of rows) {
      expect(
        cells.filter((cell) => (cell ?? '').trim() === ''),
        names.join(),
      ).toEqual([]);
      expect(tests, names.join()).not.toEqual([]);
      expect(tests.filter((test) => !existsSync(join(ROOT, test)))).toEqual([]);
    }
  });
});

describe('what nobody promises', () => {
  const rows = rowsOf(leans);

  it('is a table', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)('%s stands where it is said to, and has a test', (_what, where = '', tests = '') => {
    const [file = '', ...words] = codesIn(where);
    expect(words).not.toEqual([]);
    for (const word of words) expect(read(file), file).toContain(word);
    expect(codesIn(tests)).not.toEqual([]);
    expect(codesIn(tests).filter((test) => !existsSync(join(ROOT, test)))).toEqual([]);
  });
});
