import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveBroker } from '../support/broker/served-broker.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';
import { PAGE_STATES } from '../support/browser/page-states.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** Whoever must read more reads less: a longer page is approved unread. */
describe('what a person reads before they decide', () => {
  it.each([
    ['confirm', 110],
    ['confirm-warnings', 180],
  ])('%s has at most %i words', async (name, most) => {
    const state = PAGE_STATES.find((one) => one.name === name);
    const served = await serveBroker(state?.harness);
    onTestFinished(() => served.close());
    // Without script, where each time says besides that it is UTC.
    const { page } = await newPerson(browser, { locale: 'en', javaScriptEnabled: false }, ['http://localhost:']);
    await state?.reach(page, served);
    const words = (await page.innerText('main')).split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
    expect(words.length, words.join(' ')).toBeLessThanOrEqual(most);
    expect(words.length).toBeGreaterThan(most / 2);
  });
});
