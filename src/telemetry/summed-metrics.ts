import {
  type Aggregator,
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type Registry,
} from 'prom-client';
import { isLatest, METRICS, type MetricName, type MetricRow } from './metric-names.ts';
import type { ProcessMetrics } from './prometheus-text.ts';

type Figure = MetricObjectWithValues<MetricValue<string>>;

/** What of Node's own figures is no sum over processes, and not as prom-client would have it. */
const OF_NODE: Readonly<Record<string, Aggregator>> = {
  process_start_time_seconds: 'first',
  process_max_fds: 'min',
  // One process that is stuck must not hide behind others that are idle.
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_mean_seconds: 'max',
  nodejs_eventloop_lag_stddev_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
};

/**
 * The figures of several processes as if they were one. The first of them is the one that answers: what concerns all of
 * them alike is its figure alone. How each metric is put together stands with it, in `METRICS` and above.
 */
export function summedMetrics(processes: readonly ProcessMetrics[]): Pick<Registry, 'metrics' | 'getMetricsAsJSON'> {
  const latest = latestOf(processes.flat());
  const others = processes.map((figures) => figures.filter(({ name }) => !latest.has(name)).map(withAggregator));
  return AggregatorRegistry.aggregate([[...latest.values()], ...others]);
}

function withAggregator(figure: Figure): Figure {
  const together = togetherOf(figure.name);
  const aggregator = together === 'latest' ? undefined : (together ?? OF_NODE[figure.name]);
  // Before its first measurement a figure of Node is no number, and a sum with it would be none.
  const values = figure.values.filter(({ value }) => Number.isFinite(value));
  return { ...figure, values, aggregator: aggregator ?? figure.aggregator ?? 'sum' };
}

function togetherOf(name: string): 'first' | 'latest' | undefined {
  const row: MetricRow | undefined = Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined;
  return row?.together;
}

/** Of each label's values the one that was set last, by whichever process. */
export function latestOf(figures: readonly Figure[]): Map<string, Figure> {
  const merged = new Map<string, { figure: Figure; byLabels: Map<string, MetricValue<string> & { atMs?: number }> }>();
  for (const figure of figures) {
    if (!isLatest(figure.name)) continue;
    const { byLabels } = merged.get(figure.name) ?? { byLabels: new Map() };
    merged.set(figure.name, { figure, byLabels });
    for (const value of figure.values as (MetricValue<string> & { atMs?: number })[]) {
      const labels = JSON.stringify(value.labels);
      if ((value.atMs ?? 0) >= (byLabels.get(labels)?.atMs ?? 0)) byLabels.set(labels, value);
    }
  }
  return new Map(
    [...merged].map(([name, { figure, byLabels }]) => [
      name,
      { ...figure, aggregator: 'first', values: [...byLabels.values()] },
    ]),
  );
}
