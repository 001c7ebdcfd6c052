import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the table of RFC 8628 has a row for each requirement on the server, R1 to R41', () => {
  const text = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const inRows = new Set([...text.matchAll(/^\| §[\d.]+ \| R(\d+) /gm)].map(([, number]) => Number(number)));
  const all = Array.from({ length: 41 }, (_, index) => index + 1);
  // A return channel in place of polling is outside of the standard.
  expect(all.filter((number) => !inRows.has(number))).toEqual([30]);
});
