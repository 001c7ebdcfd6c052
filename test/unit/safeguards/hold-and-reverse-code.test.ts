import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newReverseCode, reverseCodeAtStart } from '../../../src/safeguards/reverse-code.ts';
import { heldUntilMs } from '../../../src/safeguards/safeguards.ts';

describe('hold', () => {
  it('is a moment after the approval, or none', () => {
    expect(heldUntilMs({ holdSeconds: 5 }, 1000)).toBe(6000);
    expect(heldUntilMs({ holdSeconds: 0 }, 1000)).toBeUndefined();
  });
});

describe('the reverse code', () => {
  it.each([
    ['off', undefined, 'none'],
    ['off', 'required', 'none'],
    ['supported', undefined, 'none'],
    ['supported', 'supported', 'make'],
    ['supported', 'required', 'make'],
    ['required', 'supported', 'make'],
    ['required', 'required', 'make'],
    ['required', undefined, 'refuse'],
  ] as const)('with %s for a device that says %s: %s', (mode, confirmation, verdict) => {
    expect(reverseCodeAtStart(mode, confirmation)).toBe(verdict);
  });

  it('is four digits, each value as likely as the others', () => {
    const draws = [59_999, 60_000, 65_535, 42, 10_007].map((value) => {
      const bytes = Buffer.alloc(2);
      bytes.writeUInt16BE(value);
      return bytes;
    });
    const next = () => draws.shift() ?? Buffer.alloc(2);
    expect(newReverseCode(next)).toBe('9999');
    expect(newReverseCode(next)).toBe('0042');
    expect(newReverseCode(next)).toBe('0007');
    for (let n = 0; n < 100; n += 1) expect(newReverseCode(randomBytes)).toMatch(/^\d{4}$/);
  });
});
