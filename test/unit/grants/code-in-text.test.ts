import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeInText } from '../../../src/grants/start/code-in-text.ts';
import { BASE20, NUMERIC, normaliseUserCode, type UserCodeSettings } from '../../../src/grants/start/user-code.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

const base20: UserCodeSettings = { alphabet: BASE20, length: 8, group: 4 };
const numeric: UserCodeSettings = { alphabet: NUMERIC, length: 9, group: 3 };

const codeOf = (text: string, settings = base20) => normaliseUserCode(codeInText(text, settings).typed, settings);

describe('the code in what was pasted', () => {
  it.each([
    ['alone', 'WDJB-MJHT', base20, 'WDJBMJHT'],
    ['after a label', 'Code: WDJB-MJHT', base20, 'WDJBMJHT'],
    ['after a label in another language', 'コード：WDJB-MJHT', base20, 'WDJBMJHT'],
    ['after letters that stand for many', '\ufdfa'.repeat(20) + ' WDJB-MJHT', base20, 'WDJBMJHT'],
    ['in a sentence, its groups apart', 'Please enter WDJB MJHT at the page.', base20, 'WDJBMJHT'],
    ['in an address', 'https://login.example.com/device?user_code=WDJB-MJHT', base20, 'WDJBMJHT'],
    ['in an address with more', 'http://10.1.2.3:8080/d?x=1&user_code=wdjb%2Dmjht&y=2#z', base20, 'WDJBMJHT'],
    ['in an address in a sentence', 'Open https://x.example/device?user_code=WDJB-MJHT now', base20, 'WDJBMJHT'],
    ['of digits, after a label', 'Code 123-456-789', numeric, '123456789'],
    ['of digits, beside a time', 'Code 123-456-789 until 14:49', numeric, '123456789'],
    ['of digits, after an address with a port', 'https://x.example:8443/device 123456789', numeric, '123456789'],
  ])('%s', (_, text, settings, code) => expect(codeOf(text, settings)).toBe(code));

  it.each([
    ['two codes', 'WDJB-MJHT or BCDF-GHJK'],
    ['a letter that no code has', 'WDJA-MJHT'],
    ['a stray letter, perhaps the end of a longer code', 'WDJB-MJHT é'],
    ['words alone', 'What code do you mean?'],
    ['an address without one', 'https://login.example.com/device'],
    ['an address with one too few', 'https://login.example.com/device?user_code=WDJB-MJH'],
    ['what becomes more than may be pasted', `${'\ufdfa'.repeat(29)} WDJB-MJHT`],
    ['more than may be pasted', `Code: ${' '.repeat(512)}WDJB-MJHT`],
  ])('is none in %s', (_, text) => expect(codeOf(text)).toBeUndefined());

  it('came from an address only where it stood in one', () => {
    expect(codeInText('https://login.example.com/device?user_code=WDJB-MJHT', base20).isFromAddress).toBe(true);
    expect(codeInText('Code: WDJB-MJHT', base20).isFromAddress).toBe(false);
  });

  it('is what it was where the text is a code by itself, for any text at all', () => {
    fc.assert(
      fc.property(anyText({ unit: 'binary', maxLength: 80 }), (text) => {
        const alone = normaliseUserCode(text, base20);
        const found = codeOf(text);
        expect(alone === undefined || found === alone).toBe(true);
        expect(found === undefined || /^[BCDFGHJKLMNPQRSTVWXZ]{8,16}$/.test(found)).toBe(true);
      }),
    );
  });
});
