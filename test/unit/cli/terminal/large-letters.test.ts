import { describe, expect, it } from 'vitest';
import { largeLetters } from '../../../../src/cli/terminal/large-letters.ts';

describe('large letters', () => {
  it('draw a code four lines high', () => {
    expect(largeLetters('WD-1', 80)).toEqual([
      '█   █ █▀▀▀▄       ▄█',
      '█ ▄ █ █   █ ▄▄▄▄   █',
      '█▄▀▄█ █   █        █',
      '▀   ▀ ▀▀▀▀        ▀▀▀',
    ]);
  });

  it('have a different shape for each character that a code may have', () => {
    const characters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-');
    const shapes = characters.map((character) => largeLetters(character, 80)?.join('\n'));
    expect(shapes).not.toContain(undefined);
    expect(new Set(shapes).size).toBe(characters.length);
  });

  it('break a code at its hyphen where it is too wide', () => {
    const lines = largeLetters('WDJB-MJHT', 40) ?? [];
    expect(lines).toHaveLength(9);
    expect(lines[4]).toBe('');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(23);
  });

  it.each([
    ['a group is too wide', 'WDJB-MJHT', 20],
    ['there is no hyphen to break at', 'WDJBMJHT', 40],
    ['a character has no shape', 'wdjb', 80],
  ])('leave it to the plain text where %s', (_, code, columns) => {
    expect(largeLetters(code, columns)).toBeUndefined();
  });
});
