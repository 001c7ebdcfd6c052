import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema, type JsonSchema } from '../../../src/config/schema/json-schema.ts';
import { schemaRows } from './schema-rows.ts';

const schema = configJsonSchema();
const rows = schemaRows(schema);

describe('the JSON Schema', () => {
  it('says something about every key', () => {
    expect(rows.filter(({ description }) => description === '').map(({ path }) => path)).toEqual([]);
    expect(rows.length).toBeGreaterThan(120);
  });

  it('accepts no key beside those that it names', () => {
    const open: string[] = [];
    const look = (at: JsonSchema, path: string): void => {
      if (at.properties !== undefined && at.additionalProperties !== false) open.push(path);
      for (const [key, inner] of Object.entries(at.properties ?? {})) look(inner, `${path}.${key}`);
      for (const inner of at.anyOf ?? []) look(inner, path);
      if (typeof at.additionalProperties === 'object') look(at.additionalProperties, `${path}.*`);
    };
    look(schema, '');
    expect(open).toEqual([]);
  });

  it('wants what a person must write and no more', () => {
    expect(schema.required).toEqual(['public_url', 'upstreams', 'clients']);
  });
});

describe('docs/configuration.md', () => {
  const file = new URL('../../../docs/configuration.md', import.meta.url);

  it('has the table of all keys, as the code has them (npx vitest run -u writes it)', async () => {
    const page = readFileSync(file, 'utf8');
    const [head = '', rest = ''] = page.split('<!-- keys -->\n');
    const [, tail = ''] = rest.split('<!-- end of keys -->\n');
    const table = rows.map(({ path, form, fallback, description }) => {
      return `| \`${path}\` | ${form} | ${fallback} | ${description.replaceAll('|', '\\|')} |\n`;
    });
    const expected = `${head}<!-- keys -->\n| key | form | default | what |\n|---|---|---|---|\n${table.join('')}<!-- end of keys -->\n${tail}`;
    await expect(expected).toMatchFileSnapshot(file.pathname);
  });

  it('shows a least file that is one', async () => {
    const { read } = await import('./written.ts');
    const yaml = /```yaml\n(public_url[^`]*)```/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    expect(Object.keys(parse(yaml) as object)).toEqual(['public_url', 'upstreams', 'clients']);
    expect(read(yaml).clients).toHaveLength(1);
  });
});
