import { describe, expect, it, vi } from 'vitest';
import { startDeadline } from '../../../src/upstream/requests/within-deadline.ts';

describe('a deadline within another', () => {
  it('ends with the other, for the other’s reason', () => {
    const whole = new AbortController();
    const { signal } = startDeadline(60_000, whole.signal);
    expect(signal.aborted).toBe(false);
    whole.abort(new Error('the whole is over'));
    expect(signal.reason).toEqual(new Error('the whole is over'));
  });

  it('has ended where the other has', () => {
    expect(startDeadline(60_000, AbortSignal.abort()).signal.aborted).toBe(true);
  });

  it('ends by itself, and the other goes on', () => {
    vi.useFakeTimers();
    try {
      const whole = new AbortController();
      const { signal } = startDeadline(3000, whole.signal);
      vi.advanceTimersByTime(3000);
      expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
      expect(whole.signal.aborted).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves neither timer nor listener behind once it is cleared', () => {
    vi.useFakeTimers();
    try {
      const whole = new AbortController();
      const { signal, clear } = startDeadline(3000, whole.signal);
      clear();
      expect(vi.getTimerCount()).toBe(0);
      whole.abort();
      expect(signal.aborted).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
