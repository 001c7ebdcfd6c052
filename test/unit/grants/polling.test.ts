import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgePace, PACE_RULE, type Pace } from '../../../src/grants/redeem/polling.ts';

const FIVE_SECONDS = 5000;

/** Polls at these moments, in seconds; answers what each got and the interval after it. */
function pollAt(...seconds: number[]): string[] {
  let pace: Pace | undefined;
  return seconds.map((second) => {
    const verdict = judgePace(pace, FIVE_SECONDS, 1_000_000 + second * 1000, PACE_RULE);
    pace = verdict.next;
    return `${verdict.pace} ${pace.intervalMs / 1000}`;
  });
}

const ok = (interval: number) => `in_time ${interval}`;
const early = (interval: number) => `too_early ${interval}`;

describe('judgePace (RFC 8628 §3.5)', () => {
  it.each<[string, number[], string[]]>([
    ['the first poll may come at once', [0], [ok(5)]],
    ['polls an interval apart are in time', [0, 5, 10, 15], [ok(5), ok(5), ok(5), ok(5)]],
    ['half a second of tolerance', [0, 4.5, 9], [ok(5), ok(5), ok(5)]],
    ['and not more', [0, 4.499], [ok(5), early(10)]],
    [
      'a too early poll adds 5 seconds for this and all later polls',
      [0, 2, 8, 10],
      [ok(5), early(10), early(15), early(20)],
    ],
    [
      'after it the new interval counts, from the last counted poll',
      [0, 2, 9.5, 19.5],
      [ok(5), early(10), ok(10), ok(10)],
    ],
    ['an early poll does not move the reference time', [0, 2, 10], [ok(5), early(10), ok(10)]],
    [
      'within a second of a counted poll: the same answer, nothing moves',
      [0, 0.001, 0.999, 5],
      [ok(5), ok(5), ok(5), ok(5)],
    ],
    ['a full second later it is a poll of its own', [0, 1], [ok(5), early(10)]],
    [
      'within a second of a slow_down: the same slow_down, nothing moves',
      [0, 2, 2.001, 2.9, 10],
      [ok(5), early(10), early(10), early(10), ok(10)],
    ],
    [
      'twice per tick, as x/oauth2 polls, never slows down',
      [0, 0.001, 5, 5.001, 10, 10.001],
      [ok(5), ok(5), ok(5), ok(5), ok(5), ok(5)],
    ],
    [
      'a pair that is too early costs 5 seconds once',
      [0, 2, 2.001, 5, 5.001],
      [ok(5), early(10), early(10), early(15), early(15)],
    ],
  ])('%s', (_rule, seconds, answers) => {
    expect(pollAt(...seconds)).toEqual(answers);
  });

  it('the interval grows to 60 seconds and no further', () => {
    const everyTwo = Array.from({ length: 25 }, (_, index) => index * 2);
    expect(pollAt(...everyTwo).at(-1)).toBe(early(60));
    const later = pollAt(...everyTwo, 60);
    expect(later.at(-1)).toBe(ok(60));
  });

  it('an interval that is configured above the ceiling does not shrink', () => {
    const pace = { countedAtMs: 1_000_000, refusedAtMs: 0, intervalMs: 90_000 };
    expect(judgePace(pace, 90_000, 1_005_000, PACE_RULE).next.intervalMs).toBe(90_000);
  });

  it('leaves the pace as it is, the same object, where nothing moves', () => {
    const pace = { countedAtMs: 1_000_000, refusedAtMs: 0, intervalMs: 5000 };
    expect(judgePace(pace, 5000, 1_000_500, PACE_RULE).next).toBe(pace);
  });

  const steps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });

  it('whoever keeps to the interval that was last told is never refused again', () => {
    fc.assert(
      fc.property(steps, (waits) => {
        let nowMs = 1_000_000;
        let pace = judgePace(undefined, FIVE_SECONDS, nowMs, PACE_RULE).next;
        for (const waitMs of waits) {
          nowMs += waitMs;
          pace = judgePace(pace, FIVE_SECONDS, nowMs, PACE_RULE).next;
        }
        nowMs = Math.max(nowMs + 1000, pace.countedAtMs + pace.intervalMs);
        for (let n = 0; n < 5; n += 1) {
          const verdict = judgePace(pace, FIVE_SECONDS, nowMs, PACE_RULE);
          expect(verdict.pace).toBe('in_time');
          pace = verdict.next;
          nowMs += pace.intervalMs;
        }
      }),
    );
  });

  it('the interval never shrinks, and the reference time moves with counted polls only', () => {
    fc.assert(
      fc.property(steps, (waits) => {
        let nowMs = 1_000_000;
        let pace = judgePace(undefined, FIVE_SECONDS, nowMs, PACE_RULE).next;
        for (const waitMs of waits) {
          nowMs += waitMs;
          const verdict = judgePace(pace, FIVE_SECONDS, nowMs, PACE_RULE);
          expect(verdict.next.intervalMs).toBeGreaterThanOrEqual(pace.intervalMs);
          if (verdict.pace === 'too_early') expect(verdict.next.countedAtMs).toBe(pace.countedAtMs);
          pace = verdict.next;
        }
        expect(pace.intervalMs).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
