import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BASE20,
  formatUserCode,
  NUMERIC,
  newUserCode,
  normaliseUserCode,
  type UserCodeSettings,
  userCodeLength,
} from '../../../src/grants/start/user-code.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

const base20: UserCodeSettings = { alphabet: BASE20, length: 8, group: 4 };
const numeric: UserCodeSettings = { alphabet: NUMERIC, length: 9, group: 3 };
const latin: UserCodeSettings = { alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', length: 4, group: 4 };

/** Random bytes that are the same in every run, so that a statistical test never fails by chance. */
function seededBytes(seed: string) {
  let block = 0;
  return (count: number): Buffer => {
    const blocks: Buffer[] = [];
    for (let bytes = 0; bytes < count; bytes += 32) {
      blocks.push(createHash('sha256').update(`${seed} ${block}`).digest());
      block += 1;
    }
    return Buffer.concat(blocks).subarray(0, count);
  };
}

describe('newUserCode', () => {
  it('uses the base-20 alphabet of RFC 8628 §6.1: no vowels, nothing that is easily confused', () => {
    expect(BASE20).toBe('BCDFGHJKLMNPQRSTVWXZ');
    expect(newUserCode(BASE20, 8, randomBytes)).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
  });

  /** χ² over all characters drawn; 19 degrees of freedom go above 60 once in two million. */
  function chiSquare(codes: readonly string[]): number {
    const counts = new Map(Array.from(BASE20, (letter) => [letter, 0]));
    for (const letter of codes.join('')) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const expected = (codes.length * 8) / BASE20.length;
    return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }

  it('draws every character evenly', () => {
    const random = seededBytes('even');
    const codes = Array.from({ length: 20_000 }, () => newUserCode(BASE20, 8, random));
    expect(chiSquare(codes)).toBeLessThan(60);
  });

  it('… and the measure finds the bias of a plain remainder', () => {
    const random = seededBytes('biased');
    const codes = Array.from({ length: 20_000 }, () =>
      [...random(8)].map((byte) => BASE20[byte % BASE20.length]).join(''),
    );
    expect(chiSquare(codes)).toBeGreaterThan(60);
  });

  it('draws each position by itself', () => {
    const random = seededBytes('pairs');
    const seen = new Set(Array.from({ length: 20_000 }, () => newUserCode(BASE20, 8, random)));
    expect(seen.size).toBe(20_000);
    const pairs = new Set([...seen].map((code) => code.slice(0, 2)));
    expect(pairs.size).toBe(BASE20.length ** 2);
  });

  it.each([2, 10, 20, 26, 36, 255, 256])('never leaves an alphabet of %i characters', (size) => {
    const alphabet = Array.from({ length: size }, (_, index) => String.fromCharCode(0x100 + index)).join('');
    const code = newUserCode(alphabet, 16, randomBytes);
    expect([code.length, Array.from(code).every((letter) => alphabet.includes(letter))]).toEqual([16, true]);
  });
});

describe('normaliseUserCode (RFC 8628 §6.1)', () => {
  it.each([
    ['as it is shown', 'WDJB-MJHT', 'WDJBMJHT'],
    ['lower case', 'wdjb-mjht', 'WDJBMJHT'],
    ['mixed case, a space for the hyphen', 'Wdjb mJht', 'WDJBMJHT'],
    ['nothing between', 'wdjbmjht', 'WDJBMJHT'],
    ['an en dash', 'WDJB–MJHT', 'WDJBMJHT'],
    ['an em dash and a minus', 'WDJB—MJ−HT', 'WDJBMJHT'],
    ['a no-break space', 'WDJB\u00a0MJHT', 'WDJBMJHT'],
    ['spaces, tabs and line ends around', ' \tWDJB-MJHT\r\n', 'WDJBMJHT'],
    ['spaces between all letters', 'W D J B . M J H T', 'WDJBMJHT'],
    ['quotes and brackets', '“(WDJB)[MJHT]”', 'WDJBMJHT'],
    ['full-width letters', 'ＷＤＪＢ－ＭＪＨＴ', 'WDJBMJHT'],
    ['full-width lower case', 'ｗｄｊｂｍｊｈｔ', 'WDJBMJHT'],
    ['circled letters', 'ⓌⒹⒿⒷ ⓂⒿⒽⓉ', 'WDJBMJHT'],
    ['mathematical letters', '𝐖𝐃𝐉𝐁𝐌𝐉𝐇𝐓', 'WDJBMJHT'],
    ['the Kelvin sign, which is a K', 'WDJB-MJH\u212a', 'WDJBMJHK'],
    ['the long s, which is an s', 'WDJB-MJH\u017f', 'WDJBMJHS'],
    ['a zero-width joiner', 'WDJB\u200dMJHT', 'WDJBMJHT'],
    ['a zero-width space and a byte order mark', '\ufeffWDJB\u200bMJHT', 'WDJBMJHT'],
    ['marks that turn the direction', '\u202eWDJB\u202cMJHT\u200f', 'WDJBMJHT'],
    ['a longer code, drawn while many were alive', 'WDJB-MJHT-BC', 'WDJBMJHTBC'],
  ])('takes %s', (_what, typed, code) => {
    expect(normaliseUserCode(typed, base20)).toBe(code);
  });

  it.each([
    ['nothing', ''],
    ['separators alone', '----'],
    ['one letter too few', 'WDJB-MJH'],
    ['letters outside the alphabet', 'WDJA-MJHT'],
    ['digits, with an alphabet of letters', 'WDJB-MJ0T'],
    ['a letter with an accent', 'WDJB-MJH\u1e6a'],
    ['a letter with an accent that is a character of its own', 'WDJB-M\u0301\u00c9JHT'],
    ['Cyrillic look-alikes', 'WDJ\u0412-MJ\u041dT'],
    ['Greek look-alikes', 'WDJ\u0392-MJ\u0397T'],
    ['a letter besides', 'WDJB-MJHT é'],
    ['a dotless i', 'WDJB-MJHT\u0131'],
    ['a sharp s', 'WDJB-MJH\u00df'],
    ['an Arabic digit', 'WDJB-MJHT\u0663'],
    ['more than 64 characters', `WDJB-MJHT${' '.repeat(56)}`],
    ['a megabyte of dashes', '-'.repeat(1024 * 1024)],
    ['more letters than any code has', 'BCDFGHJKLMNPQRSTV'],
    ['a null character for a letter', 'WDJB-MJH\0'],
    ['half a surrogate pair for a letter', 'WDJB-MJH\ud835'],
  ])('refuses %s', (_what, typed) => {
    expect(normaliseUserCode(typed, base20)).toBeUndefined();
  });

  it.each([
    ['ß', 'ABCß', 'SS'],
    ['dotless i', 'ABCı', 'I'],
    ['ŉ', 'ABCŉ', 'ʼN'],
  ])('never upper-cases %s by the rules of Unicode', (_what, typed) => {
    expect(normaliseUserCode(typed, latin)).toBeUndefined();
  });

  it.each([
    ['an O for a zero', 'O12-345-678', '012345678'],
    ['a small o', 'o12-345-678', '012345678'],
    ['I and l for ones', 'I2l-345-678', '121345678'],
    ['full-width digits', '０１２３４５６７８', '012345678'],
  ])('reads %s in numeric codes (RFC 8628 §6.1)', (_what, typed, code) => {
    expect(normaliseUserCode(typed, numeric)).toBe(code);
  });

  it('maps no look-alikes where the alphabet may have both', () => {
    expect(normaliseUserCode('O1IL', { ...latin, alphabet: '01' })).toBeUndefined();
  });

  it('undoes formatUserCode, whatever people put between', () => {
    const separators = fc.stringMatching(/^[ \-–._/·\u00a0\t]{0,3}$/);
    fc.assert(
      fc.property(
        fc.nat(2 ** 20),
        fc.integer({ min: 8, max: 16 }),
        separators,
        fc.boolean(),
        (seed, length, between, low) => {
          const code = newUserCode(BASE20, length, seededBytes(String(seed)));
          const shown = formatUserCode(code, 4).replaceAll('-', between);
          expect(normaliseUserCode(low ? shown.toLowerCase() : shown, base20)).toBe(code);
        },
      ),
    );
  });

  it('answers a code of the alphabet or nothing, for any text at all', () => {
    fc.assert(
      fc.property(anyText({ unit: 'binary', maxLength: 80 }), (typed) => {
        const code = normaliseUserCode(typed, base20);
        expect(code === undefined || /^[BCDFGHJKLMNPQRSTVWXZ]{8,16}$/.test(code)).toBe(true);
      }),
    );
  });
});

describe('formatUserCode', () => {
  it.each([
    ['WDJBMJHT', 4, 'WDJB-MJHT'],
    ['WDJBMJHTB', 4, 'WDJB-MJHT-B'],
    ['012345678', 3, '012-345-678'],
    ['WDJB', 8, 'WDJB'],
  ])('%s in groups of %i is %s', (code, group, shown) => {
    expect(formatUserCode(code, group)).toBe(shown);
  });
});

describe('userCodeLength: live codes × wrong entries ÷ all codes stays below 2⁻²⁰', () => {
  it.each([
    ['nobody is there', 0, 0, 8],
    ['one code is alive', 1, 1, 8],
    ['a quiet day', 1000, 20, 8],
    ['just within the budget', 24_414, 1, 8],
    ['just beyond it', 24_415, 1, 9],
    ['a million codes and a campaign', 1_000_000, 1000, 12],
  ])('when %s', (_when, live, wrong, length) => {
    expect(userCodeLength(base20, live, wrong)).toBe(length);
  });

  it('is the least such length, and never below the configured one', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(100_000), (live, wrong) => {
        const length = userCodeLength(base20, live, wrong);
        const chance = (at: number) => (Math.max(live, 1) * Math.max(wrong, 1)) / 20 ** at;
        expect(length).toBeGreaterThanOrEqual(8);
        expect(chance(length)).toBeLessThan(2 ** -20);
        if (length > 8) expect(chance(length - 1)).toBeGreaterThanOrEqual(2 ** -20);
      }),
    );
  });

  it('ends at 16 characters, whatever is counted', () => {
    expect(userCodeLength({ ...base20, alphabet: '01' }, 1e9, 1e9)).toBe(16);
  });
});
