import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieOf } from '../../../src/pages/frame/page-addresses.ts';

const NAME = 'gatehouse-form-1a2b3c';
const found = (cookie: string) => cookieOf({ headers: { cookie } }, NAME);

/** Takes the header apart, as RFC 6265 §5.4 puts it together. */
function byTakingApart(cookie: string): string | undefined {
  for (const pair of cookie.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === NAME) return pair.slice(at + 1).trim();
  }
  return undefined;
}

describe('a cookie by its name', () => {
  it.each([
    ['alone', `${NAME}=x`, 'x'],
    ['among others', `a=b; ${NAME}=x; c=d`, 'x'],
    ['without spaces', `a=b;${NAME}=x;c`, 'x'],
    ['the first of two', `${NAME}=x; ${NAME}=y`, 'x'],
    ['behind one whose value has its name', `a=${NAME}=x; ${NAME}=y`, 'y'],
    ['behind one whose name ends as its own', `x${NAME}=x; ${NAME}=y`, 'y'],
    ['behind one whose name begins as its own', `${NAME}4=x; ${NAME}=y`, 'y'],
    ['with a value that has an equals sign', `${NAME}=x=y`, 'x=y'],
    ['empty', `${NAME}=`, ''],
  ])('%s', (_, cookie, value) => expect(found(cookie)).toBe(value));

  it.each(['', ';;;', NAME, `${NAME};=x`, `=${NAME}`, `${NAME.toUpperCase()}=x`])('is not in %j', (cookie) => {
    expect(found(cookie)).toBeUndefined();
  });

  it('is what taking the header apart would find', () => {
    const piece = fc.constantFrom(NAME, NAME.slice(0, 5), NAME.slice(5), ';', ';', '=', '=', ' ', '\t', 'a', '4');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const cookie = pieces.join('');
        expect(found(cookie)).toBe(byTakingApart(cookie));
      }),
      { numRuns: 2000 },
    );
  });
});
