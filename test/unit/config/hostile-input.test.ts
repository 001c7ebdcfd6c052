import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { configJsonSchema } from '../../../src/config/schema/json-schema.ts';
import { anyJson, anyText, INHERITED_NAMES } from '../../support/samples/inherited-names.ts';
import { schemaRows } from './schema-rows.ts';
import { leastFile, problemsOf } from './written.ts';

const rows = schemaRows(configJsonSchema()).map(({ path }) => path);
const paths = rows.map((path) => path.replaceAll('<id>', 'cli').split('.'));

/** `read` throws everything that is no ConfigError, so coming back at all is what is tested. */
function judge(path: readonly string[], value: unknown): ReturnType<typeof problemsOf> {
  // Computed names, so that `__proto__` is a key like any other.
  const tree: unknown = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const [top = ''] = path;
  const rest = leastFile().replace(new RegExp(`^${top}:.*\\n?(^ .*\\n?)*`, 'm'), '');
  const problems = problemsOf(`${stringify(tree)}${rest}`);
  for (const problem of problems) {
    expect(problem.line).toBeGreaterThan(0);
    expect(problem.column).toBeGreaterThan(0);
    expect(problem.text).not.toMatch(/undefined|\[object|Invalid input|NaN|native code/);
  }
  return problems;
}

it('any text is a configuration or a list of problems', () => {
  fc.assert(fc.property(anyText(), (text) => Array.isArray(problemsOf(text))));
  const yamlish = fc.string({ unit: fc.constantFrom(...':-?[]{}#&*!|>\'"%@`, \n\tab1~<.'.split('')) });
  fc.assert(
    fc.property(yamlish, (text) => Array.isArray(problemsOf(text))),
    { numRuns: 300 },
  );
});

it.each([
  ['lists in lists', '['.repeat(3000) + ']'.repeat(3000)],
  ['lists by dashes', '- '.repeat(5000)],
  ['sections in sections', '{a: '.repeat(3000)],
  ['sections by indentation', Array.from({ length: 3000 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')],
  ['keys of keys', '? '.repeat(5000)],
  ['keys in keys', '{'.repeat(3000)],
])('a text that is nested without end is told where: %s', (_, text) => {
  expect(problemsOf(text).map(({ text: words }) => words)).toEqual([
    expect.stringMatching(/there are more than 100 sections within one another|cannot be a key/),
  ]);
});

it('any value at any key is one too, and what is wrong is named', () => {
  const odd = fc.constantFrom({}, [], [[]], null, '', 'x', 0, -1, 1e308, true, '\u0000', { env: 'A' }, { keys: [1] }, [
    null,
  ]);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.oneof(odd, anyJson()), (path, value) => void judge(path, value)),
    { numRuns: 800 },
  );
});

it.each(INHERITED_NAMES)('%s is a name like any other: as a key, as an id and as a value', (name) => {
  expect(problemsOf(leastFile({ client: `claims: { ${name}: false }` }))).toHaveLength(1);
  expect(problemsOf(leastFile({ top: `claims: { ${name}: false }` }))).toHaveLength(1);
  const keys = [...new Set(rows.map((row) => row.split('.').slice(0, -1).join('.')))].map((above) =>
    [...above.split('.').filter(Boolean), name].map((step) => (step === '<id>' ? 'cli' : step)),
  );
  for (const path of keys) expect(judge(path, false)).not.toEqual([]);
  for (const row of rows.filter((path) => path.endsWith('.<id>') || path.includes('.<id>.'))) {
    const path = `${row.slice(0, row.indexOf('<id>'))}${name}`.split('.');
    judge(path, { name: 'x', issuer: 'https://sso.example.com', client_id: 'x' });
  }
});
