import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE20 } from '../../../src/grants/start/user-code.ts';
import { charactersToType, isPrefilled, isTypedFromDevice } from '../../../src/safeguards/complete.ts';

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

describe('a code of which the address had', () => {
  it.each([
    ['all', 'WDJBMJHT', true],
    ['all, among other characters', 'XXWDJBMJHTXX', true],
    ['the first half', 'WDJB', true],
    ['the second half', 'MJHT', true],
    ['all but the ends', 'DJBMJH', true],
    ['a half in the middle', 'JBMJ', true],
    ['all but one in the middle', 'WDJXMJHT', true],
    ['all but two, each in another half', 'WDXBMXHT', true],
    ['every other character', 'WXJXMXHX', true],
    ['the end, after another beginning', 'XXXXMJHT', true],
    ['the end, after more than a code has', 'XXXXXXXXXXXXMJHT', true],
    ['less than half', 'DJB', false],
    ['nothing', '', false],
    ['another code', 'XXXXXXXX', false],
    ['its characters the other way round', 'THJMBJDW', false],
  ])('%s was prefilled: %j', (_, inAddress, is) => expect(isPrefilled(inAddress, 'WDJBMJHT')).toBe(is));

  it('a run of half its length was prefilled, whatever stands around the run', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from(BASE20)), maxLength: 12 });
    const code = fc.string({ unit: fc.constantFrom(...Array.from(BASE20)), minLength: 5, maxLength: 12 });
    fc.assert(
      fc.property(code, text, text, fc.nat(12), (right, before, after, at) => {
        const half = Math.ceil(right.length / 2);
        const run = right.slice(Math.min(at, right.length - half)).slice(0, half);
        expect(isPrefilled(before + run + after, right)).toBe(true);
      }),
    );
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
