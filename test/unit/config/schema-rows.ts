import type { JsonSchema } from '../../../src/config/schema/json-schema.ts';

export interface Row {
  /** Dotted; an id that the administrator chooses is `<id>`. */
  path: string;
  form: string;
  fallback: string;
  description: string;
}

/** The JSON Schema as a flat list of keys, sections before what is in them. */
export function schemaRows(schema: JsonSchema, above = '', required = false): Row[] {
  const rows: Row[] = [];
  if (above !== '') {
    const fallback = 'default' in schema && !isSection(schema) ? `\`${JSON.stringify(schema.default)}\`` : '';
    const { description = '' } = schema;
    rows.push({ path: above, form: formOf(schema), fallback: required ? 'required' : fallback, description });
  }
  const inner = [schema, ...(schema.anyOf ?? [])];
  for (const branch of inner) {
    for (const [key, value] of Object.entries(branch.properties ?? {})) {
      if (isSecret(schema)) continue;
      rows.push(...schemaRows(value, above === '' ? key : `${above}.${key}`, branch.required?.includes(key)));
    }
    const { additionalProperties: entry } = branch;
    if (typeof entry === 'object' && isSection(entry)) rows.push(...schemaRows(entry, `${above}.<id>`).slice(1));
  }
  return rows;
}

function isSection(schema: JsonSchema): boolean {
  return schema.properties !== undefined;
}

export function isSecret(schema: JsonSchema): boolean {
  return Object.keys(schema.properties ?? {}).join() === 'env,file';
}

function formOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(formOf).join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (isSecret(schema)) return 'secret';
  if (isSection(schema)) return 'section';
  if (schema.type === 'array') return `list of ${formOf(schema.items ?? {})}`;
  if (schema.type === 'object') return 'entries';
  if (String(schema['pattern']).includes('(s|m|h|d)')) return 'duration';
  return { string: 'text', boolean: '`true` or `false`', integer: 'number' }[schema.type ?? ''] ?? 'value';
}
