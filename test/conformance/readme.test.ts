import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const text = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

/** Rows whose last cell is a file beside this one, and words of a title in it. */
const rows = text
  .split('\n')
  .map((line) => /^\|.*\| `([\w.-]+\.test\.ts)` ([^|]+) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([line, file = '', title = '']) => ({ line, file, title }));

describe('the tables of the standards', () => {
  it('have rows, each with a test', () => {
    const withoutTest = text
      .split('\n')
      .filter((line) => /^\| .* \|$/.test(line) && !/^\| (§|what) \|/.test(line))
      .filter((line) => !rows.some((row) => row.line === line));
    expect(rows.length).toBeGreaterThan(50);
    expect(withoutTest).toEqual([]);
  });

  it('name tests that are there', () => {
    const missing = rows.filter(({ file, title }) => {
      const path = join(import.meta.dirname, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').replaceAll("\\'", "'").includes(title);
    });
    expect(missing.map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
  });
});
