import { describe, expect, it } from 'vitest';
import { readClaim } from '../../../src/grants/decide/claim-reading.ts';

describe('a claim that a policy looks at is read', () => {
  it.each<[unknown, unknown]>([
    ['a', ['a']],
    [7, ['7']],
    [true, ['true']],
    [false, ['false']],
    [0, ['0']],
    [
      ['a', 7, true],
      ['a', '7', 'true'],
    ],
    [['a', null, ''], ['a']],
    [[], []],
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    [{ a: 1 }, 'unreadable'],
    [['a', { b: 1 }], 'unreadable'],
    [[['a']], 'unreadable'],
    [Number('9007199254740993'), 'unreadable'],
    [Number.NaN, 'unreadable'],
    [Number.POSITIVE_INFINITY, 'unreadable'],
  ])('%j as %j', (value, reading) => expect(readClaim(value)).toEqual(reading));
});
