import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOG_EVENTS } from '../../../src/telemetry/log-events.ts';
import { METRICS } from '../../../src/telemetry/metric-names.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const root = join(import.meta.dirname, '../../..');

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(readFileSync(join(root, 'docs/operations/grafana.json'), 'utf8')) as Dashboard;
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const used = new Set(expressions.flatMap((expr) => expr.match(/\b(gatehouse|process|nodejs)_\w+/g) ?? []));

  it('asks for no metric that Gatehouse does not have', async () => {
    const metrics = createMetrics({ pendingGrants: async () => 1, logLinesLost: () => 0 });
    const { body } = await metrics.text();
    const known = [...body.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', kind]) =>
      kind === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    );
    expect([...used].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('has a panel for every metric of ours, and for event-loop lag, memory and CPU', () => {
    const families = new Set([...used].map((name) => name.replace(/_(bucket|count|sum)$/, '')));
    expect(Object.keys(METRICS).filter((name) => !families.has(name))).toEqual([]);
    expect([...families]).toEqual(
      expect.arrayContaining([
        'nodejs_eventloop_lag_p99_seconds',
        'process_resident_memory_bytes',
        'process_cpu_seconds_total',
      ]),
    );
  });

  it('asks for no label that its metric does not have', () => {
    for (const expr of expressions) {
      const [, name = ''] = /\b(gatehouse_\w+?)(?:_bucket|_count|_sum)?\{/.exec(expr) ?? [];
      const [, grouped = ''] = /by \(([^)]*)\)/.exec(expr) ?? [];
      const labels = grouped.split(/,\s*/).filter((label) => !['', 'le', 'instance'].includes(label));
      const known: readonly string[] = METRICS[name as keyof typeof METRICS]?.labels ?? [];
      expect(
        labels.filter((label) => !known.includes(label)),
        expr,
      ).toEqual([]);
    }
  });
});

describe('the table of log events', () => {
  const code = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/-events\.ts$/.test(file))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
    .join('\n');

  it('has no event that nothing logs', () => {
    expect(Object.keys(LOG_EVENTS).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });
});
