import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { LOG_EVENTS } from '../../src/telemetry/log-events.ts';
import { METRICS } from '../../src/telemetry/metric-names.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { findPromtool } from '../support/promtool.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../../deploy/prometheus');
const rulesText = await readFile(join(FOLDER, 'alerts.yaml'), 'utf8');
const testsText = await readFile(join(FOLDER, 'alerts.test.yaml'), 'utf8');
const rules = (parse(rulesText) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

let promtool: string;
beforeAll(async () => {
  promtool = await findPromtool();
}, 11 * 60_000);

/** Answers what promtool complains of; nothing where it is content. */
async function complaints(args: string[], folder = FOLDER): Promise<string> {
  return run(promtool, args, { cwd: folder }).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}

describe('the alert rules', () => {
  it('are rules that Prometheus takes', async () => {
    expect(await complaints(['check', 'rules', 'alerts.yaml'])).toBe('');
  });

  it('fire on what they are for, and stay quiet on what looks alike', async () => {
    expect(await complaints(['test', 'rules', 'alerts.test.yaml'])).toBe('');
  });

  it('have a test each that fires and one that stays quiet, and no test is of another', () => {
    const { tests } = parse(testsText) as { tests: { name: string }[] };
    const wanted = rules.flatMap(({ alert }) => [`${alert} fires`, `${alert} stays quiet`]);
    expect(tests.map(({ name }) => name)).toEqual(wanted);
  });

  it.each([
    ['a threshold that is never reached', /> 0\.01/, '> 0.99', 'GatehouseTurnsPollsAway fires'],
    ['a threshold that is always reached', /> 500000/, '> 1', 'GatehousePendingGrantsHigh stays quiet'],
  ])('are caught by those tests: %s', async (_, from, to, name) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-alerts-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'alerts.yaml'), rulesText.replace(from, to));
    await writeFile(join(folder, 'alerts.test.yaml'), testsText);
    expect(await complaints(['test', 'rules', 'alerts.test.yaml'], folder)).toContain(name.split(' ')[0]);
  });

  it('ask for no metric and no label that there is not', async () => {
    const { body } = await createMetrics().text();
    const known = new Map<string, readonly string[] | undefined>();
    for (const [, name = '', kind] of body.matchAll(/^# TYPE (\w+) (\w+)/gm)) {
      const labels: readonly string[] | undefined = METRICS[name as keyof typeof METRICS]?.labels;
      for (const end of kind === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']) known.set(name + end, labels);
    }
    for (const { expr } of rules) {
      const names = expr.match(/\b(gatehouse|process|nodejs)_\w+/g) ?? [];
      expect(
        names.filter((name) => !known.has(name)),
        expr,
      ).toEqual([]);
      const written = [...expr.matchAll(/\b(gatehouse_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) =>
        [...matchers.matchAll(/(\w+)\s*(?:=|!=|=~|!~)\s*"/g)].map(([, label = '']) => ({ name, label })),
      );
      expect(written.filter(({ name, label }) => known.get(name)?.includes(label) !== true)).toEqual([]);
      const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
      const labels = new Set(['le', 'instance', ...names.flatMap((name) => known.get(name) ?? [])]);
      expect(
        grouped.filter((label) => !labels.has(label)),
        expr,
      ).toEqual([]);
    }
  });

  it('say how urgent they are, what is the matter and where to look, by events that there are', () => {
    for (const { alert, labels, annotations } of rules) {
      expect([alert, ['page', 'ticket'].includes(labels['severity'] ?? '')]).toEqual([alert, true]);
      expect(Object.keys(annotations)).toEqual(['summary', 'description']);
      const events = annotations['description']?.match(/\b[a-z_]+\.[a-z_]+(?= in the log)/g) ?? [];
      expect(events.filter((name) => !Object.hasOwn(LOG_EVENTS, name))).toEqual([]);
    }
  });
});
