import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const ROWS = readFileSync(join(ROOT, 'docs/security/attacks.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| attack |'));
const TESTS = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);

/** A file by its path, or by its name alone. */
const fileOf = (named: string) => TESTS.find((file) => file === named || basename(file) === named);

it.each(ROWS.map((row) => [row.slice(2, 82), row]))('%s … names tests that exist', (_, row) => {
  const named = [...row.matchAll(/`([\w./-]+\.test\.ts)`(?: "([^"]+)")?/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, written = '', title = ''] of named) {
    const file = fileOf(written);
    expect(file, written).toBeDefined();
    const source = readFileSync(join(ROOT, file ?? ''), 'utf8');
    for (const words of title.split('…')) expect(source).toContain(words.trim());
  }
});
