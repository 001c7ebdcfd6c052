import type { Tallied, Tally } from './tally.ts';

/** What a person wants to see of one process; the counters hold since its start. */
export interface Overview {
  sinceMs: number;
  configuration: { inForceSinceMs: number; refusedAtMs: number | undefined };
  upstreams: readonly UpstreamOverview[];
  /** People who came back signed in, the oldest minute first; the last one is not over. */
  signInsPerMinute: readonly number[];
  /** Sign-ins and starts that were refused, the most frequent first. */
  refusals: readonly { what: 'sign_in' | 'start'; reason: string; count: number }[];
  signals: readonly { signal: string; at: string; count: number }[];
  limits: readonly { limit: string; count: number }[];
}

export interface UpstreamOverview {
  upstream: string;
  /** The last call; `ok`, or the fault that it ended with. */
  outcome: string;
  atMs: number;
  /** The last answer of its own, whatever it said. */
  answeredAtMs: number | undefined;
  lastFault: { fault: string; atMs: number } | undefined;
}

const MINUTE_MS = 60_000;
export const MINUTES_SHOWN = 60;
export const MOST_SHOWN = 10;

/** Keeps the moments that counters do not have. All of it is bounded: by the configuration, or by one hour. */
export function createOverview(
  clock: () => number,
  counted: { signIns: Tally; starts: Tally; signals: Tally; limited: Tally },
) {
  const sinceMs = clock();
  let inForceSinceMs = sinceMs;
  let refusedAtMs: number | undefined;
  const upstreams = new Map<string, UpstreamOverview>();
  const perMinute = createMinutes(clock);

  const note = {
    signIn: perMinute.add,
    upstream(upstream: string, outcome: string): void {
      const known = upstreams.get(upstream);
      const atMs = clock();
      upstreams.set(upstream, {
        upstream,
        outcome,
        atMs,
        answeredAtMs: outcome === 'unavailable' ? known?.answeredAtMs : atMs,
        lastFault: outcome === 'ok' ? known?.lastFault : { fault: outcome, atMs },
      });
    },
    configuration(outcome: 'ok' | 'refused'): void {
      refusedAtMs = outcome === 'refused' ? clock() : undefined;
      if (outcome === 'ok') inForceSinceMs = clock();
    },
  };

  function overview(): Overview {
    const refusedSignIns = reasonsOf(counted.signIns, ([, , outcome = '', reason = '']) =>
      outcome === 'signed_in' ? undefined : reason || outcome,
    );
    const refusedStarts = reasonsOf(counted.starts, ([, outcome]) => (outcome === 'started' ? undefined : outcome));
    return {
      sinceMs,
      configuration: { inForceSinceMs, refusedAtMs },
      upstreams: [...upstreams.values()],
      signInsPerMinute: perMinute.all(),
      refusals: mostFrequent([
        ...refusedSignIns.map((row) => ({ what: 'sign_in' as const, ...row })),
        ...refusedStarts.map((row) => ({ what: 'start' as const, ...row })),
      ]),
      signals: mostFrequent(
        [...counted.signals.rows()].map(({ labels: [signal = '', at = ''], value: count }) => ({
          signal,
          at,
          count,
        })),
      ),
      limits: mostFrequent(
        [...counted.limited.rows()].map(({ labels: [limit = ''], value: count }) => ({ limit, count })),
      ),
    };
  }

  return { note, overview };
}

function reasonsOf(tally: Tally, reasonOf: (labels: Tallied['labels']) => string | undefined) {
  const counts = new Map<string, number>();
  for (const { labels, value } of tally.rows()) {
    const reason = reasonOf(labels);
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + value);
  }
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

function mostFrequent<Row extends { count: number }>(rows: Row[]): Row[] {
  return rows.sort((one, other) => other.count - one.count).slice(0, MOST_SHOWN);
}

/** Counts by the minute, for the last hour. */
function createMinutes(clock: () => number) {
  const counts = new Array<number>(MINUTES_SHOWN).fill(0);
  let newest = minuteNow();

  function minuteNow(): number {
    return Math.floor(clock() / MINUTE_MS);
  }

  /** A clock that was set back counts into the newest minute that there was. */
  function moveOn(): void {
    const now = minuteNow();
    const passed = Math.min(now - newest, MINUTES_SHOWN);
    for (let step = 1; step <= passed; step += 1) counts[(newest + step) % MINUTES_SHOWN] = 0;
    newest = Math.max(newest, now);
  }

  return {
    add(): void {
      moveOn();
      const at = newest % MINUTES_SHOWN;
      counts[at] = (counts[at] ?? 0) + 1;
    },
    all(): number[] {
      moveOn();
      return Array.from({ length: MINUTES_SHOWN }, (_, index) => counts[(newest + 1 + index) % MINUTES_SHOWN] ?? 0);
    },
  };
}
