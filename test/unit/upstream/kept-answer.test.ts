import { beforeEach, describe, expect, it } from 'vitest';
import { KeptAnswer } from '../../../src/upstream/requests/kept-answer.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let nowMs: number;
let loads: number;
let isAway: boolean;
let stale: unknown[];
let kept: KeptAnswer<number>;

beforeEach(() => {
  nowMs = 1_000_000;
  loads = 0;
  isAway = false;
  stale = [];
  kept = new KeptAnswer({
    clock: () => nowMs,
    freshMs: HOUR,
    timeoutMs: 1000,
    onStale: (error) => stale.push(error),
    load: async () => {
      loads += 1;
      await Promise.resolve();
      if (isAway) throw new Error('away');
      return loads;
    },
  });
});

describe('an answer that is kept', () => {
  it('is asked for once, by however many at once', async () => {
    expect(await Promise.all([kept.current(), kept.current(), kept.current()])).toEqual([1, 1, 1]);
    expect(loads).toBe(1);
  });

  it('is used while it is fresh and renewed when it is not', async () => {
    await kept.current();
    nowMs += HOUR - 1;
    expect(await kept.current()).toBe(1);
    nowMs += 1;
    expect(await kept.current()).toBe(2);
  });

  it('is used for a day while it cannot be renewed, and that is told each time', async () => {
    await kept.current();
    isAway = true;
    nowMs += HOUR;
    expect(await kept.current()).toBe(1);
    expect(stale).toHaveLength(1);
    nowMs += 23 * HOUR;
    expect(await kept.current()).toBe(1);
    nowMs += 1;
    await expect(kept.current()).rejects.toThrow('away');
  });

  it('is not asked for by every caller while the upstream is away', async () => {
    await kept.current();
    isAway = true;
    nowMs += HOUR;
    for (let caller = 0; caller < 5; caller += 1) await kept.current();
    expect(loads).toBe(2);
    nowMs += 31_000;
    isAway = false;
    expect(await kept.current()).toBe(3);
  });

  it('is not invented where there never was one', async () => {
    isAway = true;
    await expect(kept.current()).rejects.toThrow('away');
    isAway = false;
    expect(await kept.current()).toBe(2);
  });

  it('can be renewed on demand, at most every half minute', async () => {
    await kept.current();
    expect(await kept.renewed()).toBe(2);
    expect(await kept.renewed()).toBeUndefined();
    expect(await kept.current()).toBe(2);
    nowMs += 30_000;
    expect(await kept.renewed()).toBe(3);
  });

  it('does not count its ordinary loading as a renewal on demand', async () => {
    expect(await kept.current()).toBe(1);
    expect(await kept.renewed()).toBe(2);
  });
});
