/** Between label values; a configured id cannot contain it. */
const BETWEEN = '\u0000';

/** Upper ends in seconds: from a local Redis to the time-out of an upstream (10 s). */
export const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface Tallied {
  labels: readonly string[];
  value: number;
  /** When it was last set, in milliseconds since the epoch; of what is counted nobody asks. */
  atMs?: number;
}

export interface Timed {
  labels: readonly string[];
  /** Per bucket, not cumulative; one more than there are upper ends. */
  counts: number[];
  sum: number;
}

/** Numbers by label values. Counting is one look-up in a Map; what Prometheus wants is made when it asks. */
export interface Tally {
  add(labels: readonly string[], amount?: number): void;
  set(labels: readonly string[], value: number): void;
  rows(): Iterable<Tallied>;
}

export interface TimeTally {
  add(labels: readonly string[], seconds: number): void;
  rows(): Iterable<Timed>;
}

/** @param clock milliseconds since the epoch */
export function createTally(clock: () => number = Date.now): Tally {
  const { rowOf, rows } = rowsByLabels<Tallied>((labels) => ({ labels, value: 0 }));
  return {
    add(labels, amount = 1) {
      rowOf(labels).value += amount;
    },
    set(labels, value) {
      const row = rowOf(labels);
      row.value = value;
      row.atMs = clock();
    },
    rows,
  };
}

export function createTimeTally(): TimeTally {
  const { rowOf, rows } = rowsByLabels<Timed>((labels) => ({
    labels,
    counts: new Array<number>(SECONDS_BUCKETS.length + 1).fill(0),
    sum: 0,
  }));
  return {
    add(labels, seconds) {
      const row = rowOf(labels);
      const found = SECONDS_BUCKETS.findIndex((end) => seconds <= end);
      const bucket = found === -1 ? SECONDS_BUCKETS.length : found;
      row.counts[bucket] = (row.counts[bucket] ?? 0) + 1;
      row.sum += seconds;
    },
    rows,
  };
}

function rowsByLabels<Row>(create: (labels: readonly string[]) => Row) {
  const byKey = new Map<string, Row>();
  return {
    rowOf: (labels: readonly string[]): Row => {
      const key = labels.join(BETWEEN);
      let row = byKey.get(key);
      if (row === undefined) {
        row = create(labels);
        byKey.set(key, row);
      }
      return row;
    },
    rows: () => byKey.values(),
  };
}
