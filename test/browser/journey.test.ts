import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { answer as answerWith, goToConfirm, serveBroker } from '../support/broker/served-broker.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import {
  beSomebody,
  choose,
  heading,
  type Journey,
  reachConfirm,
  startDevice,
  startJourney,
  typeCode,
  waitForHeading,
} from '../support/browser/browser-journey.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const CONFIRM = 'Let this device act as you?';

async function personAt(journey: Journey, options: BrowserContextOptions = {}) {
  const { page, context } = await newPerson(browser, { locale: 'en', ...options }, [journey.provider.issuer]);
  return { page, context };
}

describe('a person with a browser', () => {
  it('types the code, signs in, reads, approves, and the device gets its tokens', async () => {
    const journey = await startJourney({ scopes: { 'packages:read': { description: 'Read packages' } } });
    const { page } = await personAt(journey);
    const started = await journey.start({ scope: 'openid packages:read', device_label: 'build-07' });
    await page.goto(journey.address);
    expect(await page.evaluate('document.activeElement.id')).toBe('user_code');
    await typeCode(page, ` ${started.userCode.toLowerCase().replace('-', ' ')} `);
    await beSomebody(page, 'alice');
    const words = await page.innerText('main');
    for (const expected of ['Build CLI', 'alice@example.com', 'Read packages', 'packages:read', '127.0.0.1']) {
      expect(words).toContain(expected);
    }
    expect(words).toContain(started.userCode);
    expect(await page.innerText('q')).toBe('build-07');
    expect(words).toMatch(/\d+ seconds? ago/);
    expect(await started.poll()).toBe('authorization_pending');
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    expect(await page.innerText('main')).toContain('return to your device');
    await journey.test.advance(6000);
    expect(await started.poll()).toBe('tokens');
    await page.reload();
    expect(await heading(page)).toBe('Connected');
  });

  it.each([
    ['deny', 'Denied'],
    ['report', 'Denied and reported'],
  ])('chooses %s, is told so, and the device is refused', async (decision, told) => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await reachConfirm(page, journey.address, started.userCode);
    await choose(page, decision);
    await waitForHeading(page, told);
    expect(await started.poll()).toBe('access_denied');
  });

  it('cancels at the upstream: denied', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await page.goto(journey.address);
    await typeCode(page, started.userCode);
    await page.click('[name=decision][value=deny]');
    await waitForHeading(page, 'Denied');
    expect(await started.poll()).toBe('access_denied');
  });

  it('takes an approval back', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await reachConfirm(page, journey.address, started.userCode);
    await choose(page, 'approve');
    await page.click('form[action$="/undo"] button');
    await waitForHeading(page, 'Not connected');
    expect(await started.poll()).toBe('access_denied');
  });

  it('is somebody else after all', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await reachConfirm(page, journey.address, started.userCode);
    await choose(page, 'other_account');
    await page.waitForURL(`${journey.provider.issuer}/**`);
    await beSomebody(page, 'bob');
    expect(await page.innerText('main')).toContain('bob@example.com');
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
  });

  it('types a wrong, an expired and a used code: one message, tied to the field, and what was typed stays', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const used = await journey.start();
    await journey.test.deny(used.userCode);
    const expired = await journey.start();
    await journey.test.advance(11 * 60_000);
    const told: string[] = [];
    for (const code of ['BBBB-BBBB', used.userCode, expired.userCode]) {
      await page.goto(journey.address);
      await typeCode(page, code);
      const error = page.locator('[role=alert]');
      await error.waitFor();
      told.push(await error.innerText());
      const field = page.locator('[name=user_code]');
      expect(await field.inputValue()).toBe(code);
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      expect(await field.getAttribute('aria-describedby')).toContain(await error.getAttribute('id'));
      expect(await page.evaluate('document.activeElement.id')).toBe('user_code');
    }
    expect(new Set(told).size).toBe(1);
  });

  it('goes back: nothing breaks, and the first answer stands', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await reachConfirm(page, journey.address, started.userCode);
    await page.goBack();
    await page.goto(journey.address);
    await typeCode(page, started.userCode);
    // The upstream knows the person by now, and may or may not ask again.
    await page.locator('button[value=alice], [name=decision][value=approve]').waitFor();
    if (page.url().startsWith(journey.provider.issuer)) await beSomebody(page, 'alice');
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    await page.goBack();
    await waitForHeading(page, 'Approved');
    expect(await page.locator('[name=decision]').count()).toBe(0);
    await journey.test.advance(6000);
    expect(await started.poll()).toBe('tokens');
  });

  it('has two tabs for two devices: each answers its own', async () => {
    const journey = await startJourney();
    const { page, context } = await personAt(journey);
    const [first, second] = [await journey.start(), await journey.start()];
    const other = await context.newPage();
    await page.goto(journey.address);
    await other.goto(journey.address);
    await typeCode(page, first.userCode);
    await page.waitForSelector('button[value=alice]');
    await typeCode(other, second.userCode);
    await other.waitForSelector('button[value=bob]');
    await beSomebody(page, 'alice');
    await beSomebody(other, 'bob');
    expect(await page.innerText('main')).toContain(first.userCode);
    expect(await other.innerText('main')).toContain(second.userCode);
    await choose(other, 'deny');
    await waitForHeading(other, 'Denied');
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    expect(await second.poll()).toBe('access_denied');
    expect(await first.poll()).toBe('tokens');
  });

  it('meets another browser on the same code: both are told, the first answer stands', async () => {
    const journey = await startJourney();
    const [mine, theirs] = [await personAt(journey), await personAt(journey)];
    const started = await journey.start();
    await reachConfirm(mine.page, journey.address, started.userCode);
    await reachConfirm(theirs.page, journey.address, started.userCode, 'bob');
    expect(await theirs.page.innerText('main')).toContain('another browser');
    await choose(theirs.page, 'approve');
    await waitForHeading(theirs.page, 'Approved');
    await choose(mine.page, 'approve');
    await waitForHeading(mine.page, 'Already approved');
    expect(await mine.page.innerText('main')).toContain('another browser');
  });

  it('reloads at every step', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await page.goto(journey.address);
    await page.reload();
    await typeCode(page, started.userCode);
    await page.waitForSelector('button[value=alice]');
    await page.reload();
    await beSomebody(page, 'alice');
    await page.reload();
    expect(await heading(page)).toBe(CONFIRM);
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    await page.reload();
    expect(await heading(page)).toBe('Approved');
    await journey.test.advance(6000);
    expect(await started.poll()).toBe('tokens');
  });

  it('needs no script', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey, { javaScriptEnabled: false, colorScheme: 'dark' });
    const started = await journey.start();
    await reachConfirm(page, started.complete, started.userCode);
    await page.fill('[name=confirm_code]', started.userCode.slice(-4));
    await choose(page, 'approve');
    await page.waitForURL(/\/device\/done\?/);
    expect(await heading(page)).toBe('Approved');
    expect(await started.poll()).toBe('tokens');
  });

  it('needs no mouse: Deny comes before Approve, and every stop is seen', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey, { viewport: { width: 320, height: 600 } });
    const started = await journey.start();
    await page.goto(journey.address);
    await page.keyboard.type(started.userCode);
    await page.keyboard.press('Enter');
    await page.waitForSelector('button[value=alice]');
    await page.focus('button[value=alice]');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/device\/confirm\?/);
    const stops: string[] = [];
    for (let presses = 0; presses < 12 && stops.at(-1) !== 'approve'; presses += 1) {
      await page.keyboard.press('Tab');
      stops.push(await page.evaluate<string>('document.activeElement.value'));
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).toBe('solid');
    }
    expect(stops).toEqual(['other_account', 'deny', 'approve']);
    await page.keyboard.press('Enter');
    await waitForHeading(page, 'Approved');
  });

  it('comes back from the upstream in another browser, and goes on there', async () => {
    const journey = await startJourney();
    const [inApp, usual] = [await personAt(journey), await personAt(journey)];
    const started = await journey.start();
    await inApp.page.goto(journey.address);
    const leaving = inApp.page.waitForRequest((request) => request.url().startsWith(`${journey.provider.issuer}/auth`));
    await typeCode(inApp.page, started.userCode);
    // The sign-in opens in the usual browser, as it does with an app of the upstream's.
    await usual.page.goto((await leaving).url());
    const back = usual.page.waitForResponse(/\/callback\/corp/);
    await usual.page.click('button[value=alice]');
    expect((await back).status()).toBe(400);
    await waitForHeading(usual.page, 'You came back in another browser');
    expect(await usual.page.innerText('main')).toMatch(/Open the page here and type the code again; it still works/);
    await usual.page.click('main a.button');
    await typeCode(usual.page, started.userCode);
    // Signed in at the upstream by now: it asks no more.
    await waitForHeading(usual.page, CONFIRM);
    await choose(usual.page, 'approve');
    await waitForHeading(usual.page, 'Approved');
    expect(await started.poll()).toBe('tokens');
  });

  it('is sent on to a third origin by the upstream, and back: no form’s policy stands in the way', async () => {
    const test = await createTestBroker();
    const { page } = await newPerson(browser, { locale: 'en' }, [test.upstream.issuer, 'http://localhost:']);
    test.upstream.behaviour = { authorize: { overThirdOrigin: true } };
    const started = await startDevice(test);
    await page.goto(`${test.publicUrl}/device`);
    await typeCode(page, started.userCode);
    await page.waitForURL(/\/device\/confirm\?/);
    await choose(page, 'other_account');
    await page.waitForURL((url) => url.pathname === '/device/confirm' && url.origin === test.publicUrl);
    await waitForHeading(page, CONFIRM);
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    expect(await started.poll()).toBe('tokens');
    await test.close();
  });

  it('comes back by a form of the upstream’s, on another site: no cookie goes with it, and no policy stops it', async () => {
    const test = await createTestBroker({ yaml: { upstreams: { corp: { response_mode: 'form_post' } } } });
    onTestFinished(() => test.close());
    const { page } = await newPerson(browser, { locale: 'en' }, [test.upstream.issuer, 'http://localhost:']);
    test.upstream.behaviour = { authorize: { insistsOnFormPost: true, overThirdOrigin: true } };
    const cookies = new Map<string, boolean>();
    page.on('request', async (request) => {
      if (!request.url().startsWith(`${test.publicUrl}/callback/corp`)) return;
      cookies.set(request.method(), (await request.allHeaders())['cookie'] !== undefined);
    });
    const started = await startDevice(test);
    await page.goto(`${test.publicUrl}/device`);
    await typeCode(page, started.userCode);
    await page.waitForURL(/\/device\/confirm\?/);
    await waitForHeading(page, CONFIRM);
    expect(Object.fromEntries(cookies)).toEqual({ POST: false, GET: true });
    await choose(page, 'other_account');
    await page.waitForURL((url) => url.pathname === '/device/confirm' && url.origin === test.publicUrl);
    await waitForHeading(page, CONFIRM);
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    expect(await started.poll()).toBe('tokens');
  });

  it('comes back by a form of a real provider, and cancels by one', async () => {
    const journey = await startJourney({ upstreams: { corp: { response_mode: 'form_post' } } });
    const { page } = await personAt(journey);
    const started = await journey.start();
    await reachConfirm(page, journey.address, started.userCode);
    await choose(page, 'approve');
    await waitForHeading(page, 'Approved');
    expect(await started.poll()).toBe('tokens');

    const { page: another } = await personAt(journey);
    const refused = await journey.start();
    await another.goto(journey.address);
    await typeCode(another, refused.userCode);
    await another.click('[name=decision][value=deny]');
    await waitForHeading(another, 'Denied');
    expect(await refused.poll()).toBe('access_denied');
  });

  it('chooses a language, which stays on the way to the upstream and back', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey, { locale: 'fr-CA' });
    const started = await journey.start();
    await page.goto(journey.address);
    expect(await page.getAttribute('html', 'lang')).toBe('fr');
    await page.click('button[lang=ar]');
    await page.waitForSelector('html[lang=ar][dir=rtl]');
    await typeCode(page, started.userCode);
    await beSomebody(page, 'alice');
    expect(await page.getAttribute('html', 'lang')).toBe('ar');
    expect(await page.innerText('[name=decision][value=deny]')).toBe('رفض');
    await page.click('button[lang=de]');
    await page.waitForSelector('html[lang=de]');
    expect(page.url()).toContain('/device/confirm?ticket=');
    await choose(page, 'approve');
    await waitForHeading(page, 'Erlaubt');
  });
});

describe('the code field, where script runs', () => {
  it('shows groups as one types, pastes and corrects', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    await page.goto(journey.address);
    const field = page.locator('[name=user_code]');
    await field.pressSequentially('wdjb');
    expect(await field.inputValue()).toBe('WDJB');
    await field.pressSequentially('mj');
    expect(await field.inputValue()).toBe('WDJB-MJ');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    expect(await field.inputValue()).toBe('WDJ');
    await page.keyboard.press('Home');
    await page.keyboard.type('x');
    expect(await page.evaluate('document.activeElement.selectionStart')).toBe(1);
    expect(await field.inputValue()).toBe('XWDJ');
    await field.fill('');
    await page.keyboard.insertText('  ｗｄｊｂ – mjht ');
    expect(await field.inputValue()).toBe('WDJB-MJHT');
  });
});

describe('a person who types exactly what the device shows', () => {
  it.each([
    ['type_all', true],
    ['type_all', false],
    ['type_suffix', true],
    ['type_suffix', false],
  ] as const)('with %s, script running: %s, is let in', async (complete, javaScriptEnabled) => {
    const served = await serveBroker({ client: { safeguards: { complete } } });
    onTestFinished(() => served.close());
    const { page } = await newPerson(browser, { locale: 'en', javaScriptEnabled }, ['http://localhost:']);
    const { userCode } = await goToConfirm(page, served, { isPrefilled: true });
    const field = page.locator('[name=confirm_code]');
    await field.pressSequentially(userCode);
    expect(await field.inputValue()).toBe(userCode);
    await answerWith(page, 'approve');
    await waitForHeading(page, 'Approved');
  });

  it('sees the dash come by itself, and the end alone without one', async () => {
    const served = await serveBroker();
    onTestFinished(() => served.close());
    const { page } = await newPerson(browser, { locale: 'en' }, ['http://localhost:']);
    const { userCode } = await goToConfirm(page, served, { isPrefilled: true });
    const field = page.locator('[name=confirm_code]');
    expect(await field.getAttribute('enterkeyhint')).toBe('done');
    await field.pressSequentially(userCode.replace('-', '').toLowerCase());
    expect(await field.inputValue()).toBe(userCode);
    await field.fill('');
    await field.pressSequentially(userCode.slice(-4).toLowerCase());
    expect(await field.inputValue()).toBe(userCode.slice(-4));
  });

  it.each([true, false])(
    'may paste it with its label or its address, script running: %s',
    async (javaScriptEnabled) => {
      for (const pasted of [
        (code: string) => `Code: ${code}`,
        (code: string) => `https://x.example/?user_code=${code}`,
      ]) {
        const served = await serveBroker();
        onTestFinished(() => served.close());
        const { page } = await newPerson(browser, { locale: 'en', javaScriptEnabled }, ['http://localhost:']);
        const { userCode } = await served.harness.start();
        await page.goto(`${served.origin}/device`);
        await page.focus('[name=user_code]');
        await page.keyboard.insertText(pasted(userCode));
        await page.click('main form button');
        await page.waitForURL(/\/device\/confirm\?/);
      }
    },
  );
});
