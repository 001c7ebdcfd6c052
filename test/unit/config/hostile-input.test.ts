import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { schemaRows } from './schema-rows.ts';
import { leastFile, problemsOf } from './written.ts';

const paths = schemaRows(configJsonSchema()).map(({ path }) => path.replaceAll('<id>', 'cli').split('.'));

/** `read` throws everything that is no ConfigError, so coming back at all is what is tested. */
it('any text is a configuration or a list of problems', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(problemsOf(text))));
  const yamlish = fc.string({ unit: fc.constantFrom(...':-?[]{}#&*!|>\'"%@`, \n\tab1~<.'.split('')) });
  fc.assert(
    fc.property(yamlish, (text) => Array.isArray(problemsOf(text))),
    { numRuns: 300 },
  );
});

it('any value at any key is one too, and what is wrong is named', () => {
  const odd = fc.constantFrom({}, [], [[]], null, '', 'x', 0, -1, 1e308, true, '\u0000', { env: 'A' }, { keys: [1] }, [
    null,
  ]);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.oneof(odd, fc.jsonValue()), (path, value) => {
      const tree: unknown = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      const [top = ''] = path;
      const rest = leastFile().replace(new RegExp(`^${top}:.*\\n?(^ .*\\n?)*`, 'm'), '');
      const problems = problemsOf(`${stringify(tree)}${rest}`);
      for (const problem of problems) {
        expect(problem.line).toBeGreaterThan(0);
        expect(problem.column).toBeGreaterThan(0);
        expect(problem.text).not.toMatch(/undefined|\[object|Invalid input|NaN/);
      }
    }),
    { numRuns: 800 },
  );
});
