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
    const { summedMetrics } = await import('./summed-metrics.ts');
    const some = [...counted];
    const figures = await summedMetrics(some).getMetricsAsJSON();
    counted.splice(0, some.length, figures);
    isSumming = false;
  }

  return {
    add(last) {
      // A gauge is of what runs.
      counted.push(last.filter(({ type }) => ['counter', 'histogram'].includes(String(type))));
      if (counted.length > MOST && !isSumming) void sum();
    },
    all: () => [...counted],
  };
}
