import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOG_EVENTS } from '../../../src/telemetry/log-events.ts';
import { LOG_FIELDS } from '../../../src/telemetry/log-fields.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/operations/siem.md'), 'utf8');
const [fields = '', events = ''] = page.split('What an event is');
const rowsIn = (text: string) =>
  [...text.matchAll(/^\| `([^`]+)` \| (.*?) \|(.*)\|$/gm)].map(([, name = '', second = '', rest = '']) => ({
    name,
    second,
    rest,
  }));

describe('the recipe for SIEMs', () => {
  it('has a name for every field of the log, and no field that there is not', () => {
    const written = rowsIn(fields).map(({ name }) => name);
    expect(written.toSorted()).toEqual(['time', 'level', 'event', ...Object.keys(LOG_FIELDS)].toSorted());
    const wrong = rowsIn(fields).filter(({ second }) => !/^`[@a-z][a-z_.]+`$/.test(second));
    expect(wrong).toEqual([]);
  });

  it('sorts events that there are, each once, by categories and outcomes that the schema has', () => {
    const rows = rowsIn(events);
    expect(rows.map(({ name }) => name).filter((name) => !Object.hasOwn(LOG_EVENTS, name))).toEqual([]);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    const categories = [
      ...['authentication', 'configuration', 'database', 'iam', 'intrusion_detection', 'session', 'threat', 'web'],
    ];
    const types = ['access', 'admin', 'allowed', 'change', 'creation', 'denied', 'end', 'indicator', 'info', 'start'];
    for (const { name, second, rest } of rows) {
      const [type = '', outcome = ''] = rest.split('|');
      const unknown = (text: string, known: string[]) =>
        (text.match(/(?<=`)[a-z_]+(?=`)/g) ?? ['none']).filter((word) => !known.includes(word));
      expect([name, unknown(second, categories), unknown(type, types)]).toEqual([name, [], []]);
      expect([name, /^ *(`(success|failure|unknown)`|by `status`) *$/.test(outcome)]).toEqual([name, true]);
    }
  });

  it('names no event in its rules that there is not', () => {
    const named = page.match(/(?<=`)[a-z_]+\.[a-z_]+(?=`)/g) ?? [];
    const ours = named.filter((name) =>
      /^(account|admin|campaign|client|code|config|grant|limit|logout|page|session|sign_in|storage)\./.test(name),
    );
    const known = new Set<string>([...Object.keys(LOG_EVENTS), 'session.id']);
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has a pipeline that is JSON and renames fields of the log', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const { processors } = JSON.parse(json) as { processors: Record<string, { field: string }>[] };
    const renamed = processors
      .flatMap((each) => Object.values(each).map(({ field }) => field))
      .filter((field) => field.startsWith('gh.'));
    const known = ['time', 'event', 'level', ...Object.keys(LOG_FIELDS)];
    expect(renamed.filter((field) => !known.includes(field.slice(3)))).toEqual([]);
  });
});
