import { MOST_SHOWN, type Overview, type UpstreamOverview } from './overview.ts';

/** What several processes noticed, as if they were one. Since when, and which configuration, the first of them says. */
export function summedOverview(own: Overview, others: readonly Overview[]): Overview {
  const all = [own, ...others];
  const rowsOf = <Row extends { count: number }>(rows: (each: Overview) => readonly Row[]) =>
    mostFrequent(all.flatMap(rows));
  return {
    ...own,
    upstreams: newest(all.flatMap(({ upstreams }) => upstreams)),
    signInsPerMinute: own.signInsPerMinute.map((_, minute) =>
      all.reduce((sum, { signInsPerMinute }) => sum + (signInsPerMinute[minute] ?? 0), 0),
    ),
    refusals: rowsOf(({ refusals }) => refusals),
    signals: rowsOf(({ signals }) => signals),
    limits: rowsOf(({ limits }) => limits),
  };
}

/** Rows that are alike but for their count become one. */
function mostFrequent<Row extends { count: number }>(rows: readonly Row[]): Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const name = JSON.stringify({ ...row, count: 0 });
    merged.set(name, { ...row, count: row.count + (merged.get(name)?.count ?? 0) });
  }
  return [...merged.values()].sort((one, other) => other.count - one.count).slice(0, MOST_SHOWN);
}

/** The last call to each, the last answer and the last fault, whichever process they came to. */
function newest(seen: readonly UpstreamOverview[]): UpstreamOverview[] {
  const merged = new Map<string, UpstreamOverview>();
  for (const each of seen) {
    const known = merged.get(each.upstream) ?? each;
    const last = each.atMs >= known.atMs ? each : known;
    merged.set(each.upstream, {
      ...last,
      answeredAtMs: later(each.answeredAtMs, known.answeredAtMs),
      lastFault: (each.lastFault?.atMs ?? 0) >= (known.lastFault?.atMs ?? 0) ? each.lastFault : known.lastFault,
    });
  }
  return [...merged.values()];
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}
