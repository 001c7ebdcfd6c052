import { isLatest } from './metric-names.ts';
import type { ProcessMetrics } from './prometheus-text.ts';

/** So many are kept one by one before they are summed. */
const MOST = 20;

/**
 * What processes counted that have ended. Without it a sum over those that run would fall at each end: a counter that
 * falls reads as a restart, and its rate would jump.
 */
export interface EndedMetrics {
  add(last: ProcessMetrics): void;
  all(): readonly ProcessMetrics[];
}

export function createEndedMetrics(): EndedMetrics {
  const counted: ProcessMetrics[] = [];
  let isSumming = false;

  async function sum(): Promise<void> {
    isSumming = true;
    try {
      const { latestOf, summedMetrics } = await import('./summed-metrics.ts');
      const some = [...counted];
      const figures = await summedMetrics(some).getMetricsAsJSON();
      const latest = latestOf(some.flat());
      // With the moment of each, which a sum does not have.
      counted.splice(0, some.length, [...figures.filter(({ name }) => !latest.has(name)), ...latest.values()]);
    } finally {
      isSumming = false;
    }
  }

  return {
    add(last) {
      // A gauge is of what runs, but where the last word counts: what was heard is true also when the hearer has ended.
      counted.push(last.filter(({ name, type }) => ['counter', 'histogram'].includes(String(type)) || isLatest(name)));
      if (counted.length > MOST && !isSumming) void sum();
    },
    all: () => [...counted],
  };
}
