import {
  collectDefaultMetrics,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { METRICS, type MetricName } from './metric-names.ts';
import { SECONDS_BUCKETS, type Tallied, type Timed } from './tally.ts';

export type MetricRows = Tallied | Timed;

/** The figures of one process, as another one is told of them. */
export type ProcessMetrics = MetricObjectWithValues<MetricValue<string>>[];

interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
  atMs?: number;
}

/**
 * What Prometheus reads: our tallies, and the process's own figures (event-loop lag, memory, garbage collection).
 * This and `summed-metrics.ts` are the files that import prom-client, and they are loaded when `/metrics` is first asked for: its import takes
 * a tenth of the time that Gatehouse has to start.
 */
export function createPrometheusText(
  rowsOf: (name: MetricName) => Promise<Iterable<MetricRows>>,
): Pick<Registry, 'metrics' | 'contentType' | 'getMetricsAsJSON'> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const [name, { kind, help, labels }] of Object.entries(METRICS)) {
    // prom-client keeps numbers of its own; it prints whatever `get` answers, so ours need not be copied into them.
    const source = {
      name,
      get: async () => ({
        name,
        help,
        type: kind,
        values: [...(await rowsOf(name as MetricName))].flatMap((row) => samples(name, labels, row)),
      }),
    };
    registry.registerMetric(source as unknown as Metric);
  }
  return registry;
}

function samples(name: string, labelNames: readonly string[], row: MetricRows): Sample[] {
  const labels = Object.fromEntries(labelNames.map((label, index) => [label, row.labels[index] ?? '']));
  if ('value' in row) return [{ labels, value: row.value, ...(row.atMs !== undefined && { atMs: row.atMs }) }];
  let below = 0;
  const buckets = row.counts.map((count, index) => {
    below += count;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: SECONDS_BUCKETS[index] ?? '+Inf' }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: row.sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
