import type { Ledger } from '../ledger/ledger.ts';
import type { Networks } from '../network/networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from '../network/source-prefixes.ts';
import { countWrongEntries } from './code-entry-limits.ts';
import type { Counters } from './counters.ts';
import type { LimitSettings } from './limit-settings.ts';
import { slowedMark, suspendedMark } from './source-marks.ts';
import { addTo, countIn, type Window, windowAt } from './window.ts';

/**
 * Limits are how often a source, a client or a person may try something. Here are the counters of starts, code entries
 * and approvals, and what an address counts as. What is suspicious about a single request is in `safeguards/`; a poll
 * of a pending code is counted nowhere (RFC 8628 §3.5 has `slow_down` for it).
 */
export interface StartLimits {
  /** Counts one start and says whether it may go on. */
  admitStart(start: Start): Promise<StartVerdict>;
  /** Starts within one code lifetime, decided or not: what `pending_total` counts. */
  countPending(nowMs: number): Promise<number>;
}

export interface Start {
  /** The address that asks, as `sourceAddress` gives it. */
  source: string;
  clientId: string;
  codeLifetimeSeconds: number;
  /** By the ledger's clock. */
  nowMs: number;
  /** `safeguards.campaign` of the client: `suspend` refuses suspended sources. */
  campaign?: 'off' | 'alert' | 'suspend';
}

export type StartVerdict =
  /** Both are what `userCodeLength` needs. */
  | { verdict: 'admitted'; liveCodes: number; wrongEntries: number }
  | { verdict: 'refused'; limit: StartLimit; retryAfterSeconds: number };

export type StartLimit =
  | 'campaign'
  | 'starts_per_source'
  | 'pending_per_source'
  | 'pending_per_client'
  | 'pending_total';

export interface StartLimitsDeps {
  counters: Counters;
  ledger: Pick<Ledger, 'marks'>;
  networks: Networks;
  limits: LimitSettings;
  /** The code lifetimes of all clients: what is alive is counted for each of them. */
  codeLifetimesSeconds: readonly number[];
}

const MINUTE_SECONDS = 60;
/** What a source that somebody reported gets of its limits. */
const SLOWED_PART = 1 / 10;

/**
 * Each step counts first and looks then, so starts that arrive together cannot slip past; and a start that one step
 * refuses is not counted in the next. The source comes first: else a single one could use up what a client, or all
 * clients together, may have.
 */
export function createStartLimits(deps: StartLimitsDeps): StartLimits {
  const { counters, ledger, networks, limits } = deps;
  const lifetimes = [...new Set(deps.codeLifetimesSeconds)];

  /** Starts of the windows of every code lifetime there is; the one that was just counted among them. */
  async function pending(name: string, nowMs: number, which: 'this' | 'previous' = 'this'): Promise<number> {
    const counts = lifetimes.map((seconds) => countIn(counters, name, windowAt(nowMs, seconds), which));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  async function addPending(name: string, window: Window, nowMs: number): Promise<number> {
    const count = await addTo(counters, name, window);
    return lifetimes.every((seconds) => seconds === window.seconds) ? count : pending(name, nowMs);
  }

  return {
    countPending: (nowMs) => pending('pending:total', nowMs),

    async admitStart({ source: address, clientId, codeLifetimeSeconds, nowMs, campaign }) {
      const { source, wider } = sourcePrefixes(address);
      const minute = windowAt(nowMs, MINUTE_SECONDS);
      const lifetime = windowAt(nowMs, codeLifetimeSeconds);

      const [marks, ofSource, ofWider] = await Promise.all([
        ledger.marks([suspendedMark(source), suspendedMark(wider), slowedMark(source)]),
        countIn(counters, `starts:${source}`, minute),
        countIn(counters, `starts:${wider}`, minute),
      ]);
      const [suspendedUntilMs = 0, widerSuspendedUntilMs = 0, slowedUntilMs = 0] = marks;
      const untilMs = Math.max(suspendedUntilMs, widerSuspendedUntilMs);
      if (campaign === 'suspend' && untilMs > nowMs) {
        return { verdict: 'refused', limit: 'campaign', retryAfterSeconds: Math.ceil((untilMs - nowMs) / 1000) };
      }

      const share = networks.factorOf(address) * (slowedUntilMs > nowMs ? SLOWED_PART : 1);
      const isOver = (count: number, limit: number, factor = 1) => limit > 0 && count > Math.ceil(limit * factor);
      const refused = (limit: StartLimit, { secondsLeft }: Window): StartVerdict => ({
        verdict: 'refused',
        limit,
        retryAfterSeconds: secondsLeft,
      });

      const prefixes = [
        { prefix: source, factor: share, counted: ofSource },
        { prefix: wider, factor: share * WIDER_FACTOR, counted: ofWider },
      ];

      // A source that is over the limit already is not counted further: a flood from ever new addresses writes nothing.
      if (prefixes.some(({ counted, factor }) => isOver(counted + 1, limits.startsPerSource, factor))) {
        return refused('starts_per_source', minute);
      }
      for (const { prefix, factor } of prefixes) {
        const starts = await addTo(counters, `starts:${prefix}`, minute);
        if (isOver(starts, limits.startsPerSource, factor)) return refused('starts_per_source', minute);
      }
      for (const { prefix, factor } of prefixes) {
        const starts = await addPending(`pending:${prefix}`, lifetime, nowMs);
        if (isOver(starts, limits.pendingPerSource, factor)) return refused('pending_per_source', lifetime);
      }
      const ofClient = await addTo(counters, `pending:client:${encodeURIComponent(clientId)}`, lifetime);
      if (isOver(ofClient, limits.pendingPerClient)) return refused('pending_per_client', lifetime);

      const [total, before, wrongEntries] = await Promise.all([
        addPending('pending:total', lifetime, nowMs),
        pending('pending:total', nowMs, 'previous'),
        countWrongEntries(counters, nowMs),
      ]);
      if (isOver(total, limits.pendingTotal)) return refused('pending_total', lifetime);
      // A code of the previous window may still be alive: counted whole, since too long a code harms nobody.
      return { verdict: 'admitted', liveCodes: total + before, wrongEntries };
    },
  };
}
