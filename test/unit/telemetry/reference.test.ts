import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REFERENCE_PAGES } from '../../../scripts/reference.ts';
import { LOG_EVENTS } from '../../../src/telemetry/log-events.ts';
import { LOG_FIELDS } from '../../../src/telemetry/log-fields.ts';
import { METRICS } from '../../../src/telemetry/metric-names.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const root = join(import.meta.dirname, '../../..');

describe('the reference pages', () => {
  it.each(Object.entries(REFERENCE_PAGES))('%s is what the code says; `npm run docs` writes it', (file, page) => {
    expect(readFileSync(join(root, file), 'utf8')).toBe(page());
  });
});

describe('the tables of names', () => {
  it('have no field that no event uses', () => {
    const used = new Set(Object.values(LOG_EVENTS).flatMap(({ fields }): readonly string[] => fields));
    expect(Object.keys(LOG_FIELDS).filter((field) => !used.has(field))).toEqual([]);
  });

  it('have no event that nobody logs', () => {
    const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/-events\.ts$/.test(file))
      .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
      .join('\n');
    expect(Object.keys(LOG_EVENTS).filter((name) => !source.includes(`'${name}'`))).toEqual([]);
  });

  it('are what /metrics shows', async () => {
    const { body } = await createMetrics().text();
    const shown = [...body.matchAll(/^# TYPE (gatehouse_\w+) (\w+)$/gm)].map(([, name, kind]) => [name, kind]);
    expect(shown).toEqual(Object.entries(METRICS).map(([name, { kind }]) => [name, kind]));
  });

  it('have names that Prometheus’ conventions ask for', () => {
    for (const [name, { kind }] of Object.entries(METRICS)) {
      expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    }
  });
});
