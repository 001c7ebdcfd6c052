import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { answer, formWith, typeCode } from '../support/person-steps.ts';
import { createTestBroker, type TestBroker } from '../support/test-broker.ts';
import type { AnswerBody } from '../support/test-device.ts';

describe('RFC 8628 §3.3, user interaction', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: { scopes: { 'packages:read': { description: 'Read packages' } } } });
  });
  afterAll(() => test.close());

  async function start(): Promise<AnswerBody> {
    return (await test.device().start({ scope: 'openid packages:read' })).body;
  }

  const poll = async (started: AnswerBody) => (await test.device().poll(started.device_code)).body;

  it('begins at the verification URI and includes the user code, typed by hand (R16)', async () => {
    const started = await start();
    const person = new ScriptedPerson();
    const confirm = await typeCode(person, String(started['verification_uri']), started.user_code);
    expect(confirm.heading).toBe('Let this device act as you?');
    expect((await poll(started)).error).toBe('authorization_pending');
    await answer(person, confirm, 'approve');
    expect((await poll(started)).access_token).toEqual(expect.any(String));
  });

  it('authenticates the person, says what they do, and lets them approve or deny (R17)', async () => {
    const started = await start();
    const person = new ScriptedPerson();
    const signIns = test.upstream.requestsTo('/authorize').length;
    const confirm = await typeCode(person, `${test.publicUrl}/device`, started.user_code);
    expect(test.upstream.requestsTo('/authorize')).toHaveLength(signIns + 1);
    for (const words of ['Build CLI', 'alice@example.com', 'Read packages', 'packages:read']) {
      expect(confirm.html).toContain(words);
    }
    const done = await answer(person, confirm, 'deny');
    expect(done).toMatchObject({ status: 200, heading: 'Denied' });
    expect((await poll(started)).error).toBe('access_denied');
  });

  it('tells the person to return to the device, and goes on to nothing by itself (R18)', async () => {
    const started = await start();
    const person = new ScriptedPerson();
    const confirm = await typeCode(person, `${test.publicUrl}/device`, started.user_code);
    const done = await answer(person, confirm, 'approve');
    expect(done.url.pathname).toBe('/device/done');
    expect(done.html).toMatch(/return to your device/);
    expect(done.html).not.toMatch(/http-equiv|<script/);
  });

  it('never shows the device code: no page, header, cookie or address has it (R19)', async () => {
    const started = await start();
    const seen: string[] = [];
    const person = new ScriptedPerson({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const body = await response.clone().text();
        seen.push(String(input), JSON.stringify([...response.headers]), body);
        return response;
      },
    });
    const confirm = await typeCode(person, `${test.publicUrl}/device`, started.user_code);
    await answer(person, confirm, 'approve');
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.join('\n')).toContain(started.user_code);
    expect(seen.join('\n')).not.toContain(started.device_code);
  });

  describe('§3.3.1, the code in the address', () => {
    it('shows the code and asks to compare it with the device, and a person still acts (R13, R20)', async () => {
      const started = await start();
      const form = await new ScriptedPerson().visit(String(started['verification_uri_complete']));
      expect(form.html).toContain(started.user_code);
      expect(form.html).toMatch(/Is this the code that your device shows/);
      expect(formWith(form, 'user_code').fields.get('user_code')).toBe(started.user_code);
      expect((await poll(started)).error).toBe('authorization_pending');
    });

    it('is not enough to approve: part of the code must be typed from the device (R20)', async () => {
      const started = await start();
      const person = new ScriptedPerson();
      const address = String(started['verification_uri_complete']);
      const confirm = await typeCode(person, address, started.user_code);
      const [head = '', tail = ''] = started.user_code.split('-');
      expect(confirm.html).toContain(head);
      expect(confirm.html).not.toContain(tail);
      expect(await answer(person, confirm, 'approve')).toMatchObject({ status: 400 });
      expect((await poll(started)).error).toBe('authorization_pending');
      await answer(person, confirm, 'approve', tail);
      await test.advance(6000);
      expect((await poll(started)).access_token).toEqual(expect.any(String));
    });

    it('is not put into the verification URI itself, which is short and easy to type (R11, R12)', async () => {
      const address = new URL(String((await start())['verification_uri']));
      expect(address.pathname).toBe('/device');
      expect(address.search).toBe('');
    });
  });

  it('is about a device in front of the person, which they are asked to confirm (§5.4, R35)', async () => {
    const started = await start();
    const confirm = await typeCode(new ScriptedPerson(), `${test.publicUrl}/device`, started.user_code);
    expect(confirm.html).toMatch(/device or terminal that shows this code in front of you/);
    expect(confirm.html).toMatch(/did you start this yourself/);
  });

  it('shows who asked, from where and when, so that software that poses as hardware is noticed (§5.4, R36)', async () => {
    const started = await start();
    const confirm = await typeCode(new ScriptedPerson(), `${test.publicUrl}/device`, started.user_code);
    expect(confirm.html).toContain('Build CLI');
    expect(confirm.html).toContain('127.0.0.1');
    expect(confirm.html).toMatch(/\d+ seconds? ago/);
  });

  describe('§6.1, the user code as people type it', () => {
    it.each([
      ['lower case', (code: string) => code.toLowerCase()],
      ['without the dash', (code: string) => code.replace('-', '')],
      ['with other dashes', (code: string) => code.replace('-', '–')],
      ['with spaces of any kind', (code: string) => ` ${code.replace('-', '\u00a0')}\t`],
      ['in full width', (code: string) => code.replace(/[A-Z]/g, fullWidth)],
      ['with punctuation around', (code: string) => `"${code}".`],
    ])('counts %s (R40)', async (_, typedAs) => {
      const { user_code: userCode } = await start();
      const confirm = await typeCode(new ScriptedPerson(), `${test.publicUrl}/device`, typedAs(userCode));
      expect(confirm.heading).toBe('Let this device act as you?');
    });

    it.each([
      ['a letter too many', (code: string) => `${code}A`],
      ['a digit between', (code: string) => code.replace('-', '1')],
      ['a letter of another alphabet', (code: string) => code.replace(/^./, 'ſ')],
      ['one character less', (code: string) => code.slice(1)],
      ['a megabyte of dashes', (code: string) => code.replace('-', '-'.repeat(5000))],
    ])('does not count %s', async (_, typedAs) => {
      const { user_code: userCode } = await start();
      const confirm = await typeCode(new ScriptedPerson(), `${test.publicUrl}/device`, typedAs(userCode));
      expect(confirm.status).toBe(400);
    });
  });

  describe('§5.1, guessing user codes', () => {
    it('is limited for each source, and a right code in between resets nothing (R32)', async () => {
      const limited = await createTestBroker({ yaml: { limits: { wrong_codes_per_source: 3, starts_per_source: 0 } } });
      try {
        const type = async (code: string) =>
          (await typeCode(new ScriptedPerson(), `${limited.publicUrl}/device`, code)).status;
        const { body } = await limited.device().start();
        expect([await type('BBBB-BBBB'), await type('BBBB-BBBC')]).toEqual([400, 400]);
        expect(await type(body.user_code)).toBe(200);
        expect([await type('BBBB-BBBD'), await type('BBBB-BBBF')]).toEqual([400, 429]);
        expect(await type(body.user_code)).toBe(429);
        expect((await limited.device().poll(body.device_code)).body.error).toBe('authorization_pending');
      } finally {
        await limited.close();
      }
    });

    it('learns nothing: unknown, expired and used codes are answered alike', async () => {
      const used = await start();
      const person = new ScriptedPerson();
      const confirm = await typeCode(person, `${test.publicUrl}/device`, used.user_code);
      await answer(person, confirm, 'deny');
      const expired = await start();
      await test.advance(601_000);
      const answers = await Promise.all(
        ['BBBB-BBBB', used.user_code, expired.user_code].map(async (code) => {
          const page = await typeCode(new ScriptedPerson(), `${test.publicUrl}/device`, code);
          return [page.status, page.html.replace(/value="[^"]*"/g, '')];
        }),
      );
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    });
  });
});

function fullWidth(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 0xfee0);
}
