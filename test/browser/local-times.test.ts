import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { answer, goToConfirm, type ServedBroker, serveBroker } from '../support/broker/served-broker.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';
import { PAGE_STATES } from '../support/browser/page-states.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function told(page: Page): Promise<{ text: string; iso: string }> {
  const time = page.locator('time[data-clock]');
  return { text: await time.innerText(), iso: (await time.getAttribute('datetime')) ?? '' };
}

function clockIn(timeZone: string, iso: string, seconds: object = {}): string {
  const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...seconds, timeZone } as const;
  return new Intl.DateTimeFormat('en', parts).format(new Date(iso));
}

const SECONDS = { second: '2-digit' };

async function personIn(timezoneId: string, javaScriptEnabled = true) {
  const served: ServedBroker = await serveBroker();
  onTestFinished(() => served.close());
  const { page } = await newPerson(browser, { locale: 'en', timezoneId, javaScriptEnabled }, ['http://localhost:']);
  return { served, page };
}

describe('until when', () => {
  // One zone is half an hour beside the others.
  it.each(['Asia/Tokyo', 'Asia/Kolkata', 'America/New_York'])(
    'a code works, and an approval can be undone, is told in the zone %s of the person',
    async (zone) => {
      const { served, page } = await personIn(zone);
      await goToConfirm(page, served);
      const code = await told(page);
      expect(code.text).toBe(clockIn(zone, code.iso));
      const left = Date.parse(code.iso) - Date.now();
      expect(left).toBeGreaterThan(8 * 60_000);
      expect(left).toBeLessThanOrEqual(10 * 60_000);
      await answer(page, 'approve');
      await page.waitForURL(/\/device\/done/);
      const undo = await told(page);
      expect(undo.text).toBe(clockIn(zone, undo.iso, SECONDS));
      expect(Date.parse(undo.iso) - Date.now()).toBeLessThanOrEqual(60_000);
    },
  );

  it('is told in UTC where no script runs, and says so', async () => {
    const { served, page } = await personIn('Asia/Tokyo', false);
    await goToConfirm(page, served);
    const { text, iso } = await told(page);
    expect(text).toBe(`${clockIn('UTC', iso)} UTC`);
  });

  it('somebody must wait is told in their zone too, and nothing is offered before', async () => {
    const state = PAGE_STATES.find(({ name }) => name === 'problem-too-many-approvals');
    const served = await serveBroker(state?.harness);
    onTestFinished(() => served.close());
    const { page } = await newPerson(browser, { locale: 'en', timezoneId: 'Asia/Kolkata' }, ['http://localhost:']);
    await state?.reach(page, served);
    const { text, iso } = await told(page);
    expect(text).toBe(clockIn('Asia/Kolkata', iso));
    expect(await page.locator('main a, main button').count()).toBe(0);
  });
});
