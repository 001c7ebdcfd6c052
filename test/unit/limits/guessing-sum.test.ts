import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BASE20, NUMERIC, userCodeLength } from '../../../src/grants/start/user-code.ts';

const page = readFileSync(new URL('../../../docs/security/guessing.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (base20|numeric) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)];

describe('docs/security/guessing.md', () => {
  it.each(rows.map(([, name = '', live = '', ...lengths]) => [name, Number(live), lengths.map(Number)] as const))(
    'has the lengths that the code takes: %s, %i live codes',
    (name, live, lengths) => {
      const settings = { alphabet: name === 'base20' ? BASE20 : NUMERIC, length: 8, group: 4 };
      expect([1, 50, 1000].map((wrong) => userCodeLength(settings, live, wrong))).toEqual(lengths);
    },
  );

  it('has a table at all', () => {
    expect(rows).toHaveLength(10);
  });

  it('counts the codes rightly', () => {
    for (const [, alphabet = '', length = '', count = ''] of page.matchAll(
      /^\| (base20|numeric), (\d+) \w+ \| ([\d ]+) \|/gm,
    )) {
      const size = alphabet === 'base20' ? BASE20.length : NUMERIC.length;
      expect(size ** Number(length)).toBe(Number(count.replaceAll(' ', '')));
    }
  });
});
