import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const STEPS = 8;

describe('RFC 8628 §3.3, user interaction', () => {
  let test: TestBroker;
  /** Everything that came over the wire to the browser: headers and bodies. */
  let seen: string[];
  beforeAll(async () => {
    test = await createTestBroker();
  });
  afterAll(() => test.close());

  function newPerson(): ScriptedPerson {
    seen = [];
    return new ScriptedPerson({
      async fetch(input, init) {
        const response = await fetch(input, init);
        const text = await response.clone().text();
        seen.push(JSON.stringify([...response.headers]), text);
        return response;
      },
    });
  }

  async function start() {
    const { body } = await test.device().start({ scope: 'openid packages:read' });
    return {
      deviceCode: body.device_code,
      userCode: body.user_code,
      uri: String(body['verification_uri']),
      complete: String(body['verification_uri_complete']),
    };
  }

  const withField = (page: VisitedPage, name: string) => page.forms.find(({ fields }) => fields.has(name));
  const withDecision = (page: VisitedPage, value: string) =>
    page.forms.find(({ buttons }) => buttons.some((button) => button.name === 'decision' && button.value === value));

  /** By hand, from the verification URI to the page where the person decides. */
  async function reachConfirm(person: ScriptedPerson, address: string, userCode: string): Promise<VisitedPage> {
    let page = await person.visit(address);
    for (let step = 0; step < STEPS && withDecision(page, 'approve') === undefined; step += 1) {
      const form = withField(page, 'user_code');
      if (form === undefined) throw new Error(`stuck at “${page.heading}”`);
      page = await person.submit(page, form, { user_code: userCode });
    }
    return page;
  }

  function decide(person: ScriptedPerson, page: VisitedPage, decision: string, filled = {}) {
    const form = withDecision(page, decision);
    if (form === undefined) throw new Error(`nothing to press for ${decision} at “${page.heading}”`);
    return person.submit(page, form, { decision, ...filled });
  }

  it('begins at the verification URI, and the code is typed there: no query string is needed (R16)', async () => {
    const { uri, userCode, deviceCode } = await start();
    const person = newPerson();
    const first = await person.visit(uri);
    expect([first.status, new URL(first.url).search]).toEqual([200, '']);
    expect(withField(first, 'user_code')?.fields.get('user_code')).toBe('');
    const done = await decide(person, await reachConfirm(person, uri, userCode), 'approve');
    expect(done.status).toBe(200);
    expect((await test.device().poll(deviceCode)).status).toBe(200);
  });

  it('nothing is approved without the code: sign-in, confirm and done lead back to it (R16)', async () => {
    for (const path of ['/device/sign-in', '/device/confirm', '/device/done']) {
      const page = await newPerson().visit(`${test.publicUrl}${path}`);
      expect(page.status).toBe(400);
      expect(withDecision(page, 'approve')).toBeUndefined();
    }
  });

  it('tells what is going to happen, and offers approval and denial alike (R17)', async () => {
    const { uri, userCode } = await start();
    const person = newPerson();
    const page = await reachConfirm(person, uri, userCode);
    expect(page.html).toContain('Build CLI');
    expect(page.html).toContain('packages:read');
    expect(page.html).toContain('alice@example.com');
    expect(withDecision(page, 'approve')).toBeDefined();
    expect(withDecision(page, 'deny')).toBeDefined();
    expect(withDecision(page, 'approve')?.method).toBe('POST');
  });

  it('a denial reaches the device as access_denied (R17, R26)', async () => {
    const { uri, userCode, deviceCode } = await start();
    const person = newPerson();
    const done = await decide(person, await reachConfirm(person, uri, userCode), 'deny');
    expect([done.status, new URL(done.url).pathname]).toEqual([200, '/device/done']);
    expect((await test.device().poll(deviceCode)).body.error).toBe('access_denied');
  });

  it('afterwards the person is told to return to the device, and is led nowhere else (R18)', async () => {
    const { uri, userCode } = await start();
    const person = newPerson();
    const done = await decide(person, await reachConfirm(person, uri, userCode), 'approve');
    expect(done.html.toLowerCase()).toContain('return to your device');
    expect(done.html).not.toMatch(/http-equiv="refresh"/i);
  });

  it('the device code is never shown, in no page, header or cookie (R19)', async () => {
    const { uri, userCode, deviceCode } = await start();
    const person = newPerson();
    await decide(person, await reachConfirm(person, uri, userCode), 'approve');
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.join('\n')).toContain(userCode);
    expect(seen.join('\n')).not.toContain(deviceCode);
  });

  describe('§3.3.1, the complete verification URI', () => {
    it('fills in the form and nothing else: GET does not open, approve or deny anything (R13)', async () => {
      const { complete, userCode, deviceCode } = await start();
      const page = await newPerson().visit(complete);
      expect(withField(page, 'user_code')?.fields.get('user_code')).toBe(userCode);
      expect(withDecision(page, 'approve')).toBeUndefined();
      expect((await test.device().poll(deviceCode)).body.error).toBe('authorization_pending');
    });

    it('shows the code and asks to compare it with the device; without that step nothing is approved (R20)', async () => {
      const { complete, userCode, deviceCode } = await start();
      const person = newPerson();
      const page = await reachConfirm(person, complete, userCode);
      const form = withDecision(page, 'approve');
      expect(form?.fields.has('confirm_code')).toBe(true);
      expect(page.html).toContain('in front of you');
      const refused = await decide(person, page, 'approve');
      expect(refused.status).toBe(400);
      expect((await test.device().poll(deviceCode)).body.error).toBe('authorization_pending');
      const suffix = { confirm_code: userCode.replace('-', '').slice(-3) };
      const again = withDecision(refused, 'approve') === undefined ? await person.visit(page.url) : refused;
      const wanted = Number(/Type the last (\d+) characters/.exec(again.html)?.[1]);
      suffix.confirm_code = userCode.replace('-', '').slice(-wanted);
      expect((await decide(person, again, 'approve', suffix)).status).toBe(200);
      expect((await test.device().poll(deviceCode)).status).toBe(200);
    });
  });
});
