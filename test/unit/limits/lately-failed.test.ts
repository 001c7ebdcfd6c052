import { describe, expect, it } from 'vitest';
import { createLatelyFailed } from '../../../src/limits/lately-failed.ts';

describe('what a process remembers of failed client authentications', () => {
  it('is of a client and a network, until the window has passed', () => {
    let nowMs = 1_000_000;
    const failed = createLatelyFailed(() => nowMs, 600_000);
    expect(failed.has('robot', '203.0.113.7')).toBe(false);
    failed.note('robot', '203.0.113.7');
    expect(failed.has('robot', '203.0.113.200')).toBe(true);
    expect([failed.has('robot', '198.51.100.7'), failed.has('twin', '203.0.113.7')]).toEqual([false, false]);
    nowMs += 600_000;
    expect(failed.has('robot', '203.0.113.7')).toBe(true);
    nowMs += 1;
    expect(failed.has('robot', '203.0.113.7')).toBe(false);
  });

  it('is not pushed out by a flood of addresses and names', () => {
    const failed = createLatelyFailed(() => 0, 600_000);
    failed.note('valueOf', 'no address');
    for (let n = 0; n < 20_000; n += 1) failed.note(`name-${n}`, `2001:db8:${(n % 65_536).toString(16)}::1`);
    expect(failed.has('valueOf', 'no address')).toBe(true);
  });
});
