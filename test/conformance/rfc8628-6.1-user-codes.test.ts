import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

async function statusOf(test: TestBroker, typed: string): Promise<number> {
  const person = new ScriptedPerson();
  const page = await person.visit(`${test.publicUrl}/device`);
  const form = page.forms.find(({ fields }) => fields.has('user_code'));
  if (form === undefined) throw new Error(`no form at “${page.heading}”`);
  return (await person.submit(page, form, { user_code: typed })).status;
}

describe('RFC 8628 §6.1, user code recommendations', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: { limits: { wrong_codes_per_source: 0, wrong_codes_total: 0 } } });
  });
  afterAll(() => test.close());

  it('codes have no characters that are easily confused, and make no words (R39)', async () => {
    const codes = await Promise.all(
      Array.from({ length: 50 }, async () => (await test.device().start()).body.user_code),
    );
    for (const code of codes) expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  const fullWidth = (code: string) =>
    Array.from(code, (c) => (c === '-' ? '－' : String.fromCharCode(c.charCodeAt(0) + 0xfee0))).join('');

  it.each<[string, (code: string) => string]>([
    ['as shown', (code) => code],
    ['in lower case', (code) => code.toLowerCase()],
    ['without the hyphen', (code) => code.replace('-', '')],
    ['with a space', (code) => code.replace('-', ' ')],
    ['with an en dash', (code) => code.replace('-', '–')],
    ['with a no-break space', (code) => code.replace('-', '\u00a0')],
    ['with spaces around', (code) => `  ${code}\t`],
    ['in full width', fullWidth],
    ['with a zero-width joiner', (code) => code.replace('-', '\u200d')],
  ])('a code is taken %s (R40)', async (_how, type) => {
    const { body } = await test.device().start();
    expect(await statusOf(test, type(body.user_code))).toBe(200);
  });

  it.each<[string, (code: string) => string]>([
    ['a Cyrillic look-alike', (code) => code.replace(/[BCDFGHJKLMNPQRSTVWXZ]/, 'В')],
    ['a letter with an accent', (code) => `${code.slice(0, -1)}Ê`],
    ['a character besides', (code) => `${code}A`],
    ['a character too few', (code) => code.slice(0, -1)],
    ['a megabyte of dashes around', (code) => `${'-'.repeat(70)}${code}`],
  ])('a code is not taken with %s (R40)', async (_how, type) => {
    const { body } = await test.device().start();
    expect(await statusOf(test, type(body.user_code))).toBe(400);
  });

  it('numeric codes: O is 0, I and l are 1 (R41)', async () => {
    const numeric = await createTestBroker({ yaml: { user_codes: { alphabet: 'numeric', length: 9, group: 3 } } });
    for (let n = 0; n < 3; n += 1) {
      const { body } = await numeric.device().start();
      expect(await statusOf(numeric, body.user_code.replaceAll('0', 'O').replaceAll('1', 'l'))).toBe(200);
    }
    await numeric.close();
  });
});
