import { describe, expect, it } from 'vitest';
import { BASE20 } from '../../../src/grants/user-code.ts';
import { charactersToType, isTypedFromDevice } from '../../../src/safeguards/complete.ts';

const settings = { alphabet: BASE20, length: 8, group: 4 };

describe('what must be typed from the device', () => {
  it.each([
    ['compare', 0],
    ['type_suffix', 4],
    ['type_all', 8],
    ['off', 8],
  ] as const)('with complete: %s is so much of a code that came prefilled: %i', (mode, characters) => {
    expect(charactersToType(mode, 8, true)).toBe(characters);
  });

  it.each(['compare', 'type_suffix', 'type_all', 'off'] as const)(
    'with complete: %s is nothing of a code that the person typed',
    (mode) => {
      expect(charactersToType(mode, 8, false)).toBe(0);
    },
  );

  it('is never more than the code has', () => {
    expect(charactersToType('type_suffix', 3, true)).toBe(3);
  });
});

describe('what was typed', () => {
  it.each([
    ['the end', 'MJHT', true],
    ['in lower case', 'mjht', true],
    ['in full width', 'ＭＪＨＴ', true],
    ['with what people put between', ' mj-ht ', true],
    ['the whole code, pasted', 'WDJB-MJHT', true],
    ['nothing', '', false],
    ['less than asked for', 'JHT', false],
    ['more than asked for, but not all', 'BMJHT', false],
    ['the beginning', 'WDJB', false],
    ['another end', 'MJHX', false],
    ['the end with a letter that no code has', 'MJHTA', false],
    ['a letter that only looks like ours', 'МJHT', false],
    ['a very long text', 'MJHT'.repeat(100), false],
  ])('%s: %j', (_, typed, isRight) => {
    expect(isTypedFromDevice(typed, 'WDJBMJHT', 4, settings)).toBe(isRight);
  });

  it('must be all of the code where all is asked for', () => {
    expect(isTypedFromDevice('wdjb mjht', 'WDJBMJHT', 8, settings)).toBe(true);
    expect(isTypedFromDevice('mjht', 'WDJBMJHT', 8, settings)).toBe(false);
  });
});
