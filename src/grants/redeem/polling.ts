import type { PaceRule } from '../../ledger/ledger.ts';

const SECOND = 1000;

/** RFC 8628 §3.5, with what devices in the field need: see `judgePace`. */
export const PACE_RULE: PaceRule = {
  sameMs: 1 * SECOND,
  toleranceMs: 0.5 * SECOND,
  stepMs: 5 * SECOND,
  ceilingMs: 60 * SECOND,
};

/**
 * What is kept of a grant's polls. `0` where there was none yet.
 *
 * @example
 * ```ts
 * import type { Pace } from 'gatehouse-broker';
 *
 * const afterOnePoll: Pace = { countedAtMs: Date.now(), refusedAtMs: 0, intervalMs: 5000 };
 * ```
 */
export interface Pace {
  countedAtMs: number;
  refusedAtMs: number;
  intervalMs: number;
}

/**
 * @example
 * ```ts
 * import type { PaceVerdict } from 'gatehouse-broker';
 *
 * const isRaised = ({ pace, next }: PaceVerdict): boolean => pace === 'too_early' && next.refusedAtMs > 0;
 * ```
 */
export interface PaceVerdict {
  pace: 'in_time' | 'too_early';
  /** The pace to keep; the same object when nothing moved. */
  next: Pace;
}

/**
 * Judges one poll of a pending grant.
 *
 * - The first poll may come at once.
 * - A poll within a second of a counted or refused one gets the same answer and moves nothing: some clients send
 *   every poll twice, a millisecond apart, and listen to the second answer only.
 * - A too early poll raises the interval for this and all later polls (RFC 8628 §3.5), but does not move the
 *   reference time; otherwise a client that is always a little early would never be heard again.
 *
 * @example
 * ```ts
 * import { judgePace } from 'gatehouse-broker';
 *
 * const rule = { sameMs: 1000, toleranceMs: 500, stepMs: 5000, ceilingMs: 60_000 };
 * const first = judgePace(undefined, 5000, 0, rule);
 * const tooSoon = judgePace(first.next, 5000, 2000, rule);
 * console.log(tooSoon.pace, tooSoon.next.intervalMs); // too_early 10000
 * ```
 */
export function judgePace(pace: Pace | undefined, intervalMs: number, nowMs: number, rule: PaceRule): PaceVerdict {
  if (pace === undefined) {
    return { pace: 'in_time', next: { countedAtMs: nowMs, refusedAtMs: 0, intervalMs } };
  }
  const lastAtMs = Math.max(pace.countedAtMs, pace.refusedAtMs);
  if (nowMs - lastAtMs < rule.sameMs) {
    return { pace: pace.refusedAtMs > pace.countedAtMs ? 'too_early' : 'in_time', next: pace };
  }
  if (nowMs - pace.countedAtMs < pace.intervalMs - rule.toleranceMs) {
    const raisedMs = Math.max(pace.intervalMs, Math.min(pace.intervalMs + rule.stepMs, rule.ceilingMs));
    return { pace: 'too_early', next: { ...pace, refusedAtMs: nowMs, intervalMs: raisedMs } };
  }
  return { pace: 'in_time', next: { ...pace, countedAtMs: nowMs } };
}
