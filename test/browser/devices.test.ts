import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveBroker } from '../support/broker/served-broker.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';
import { PAGE_STATES } from '../support/browser/page-states.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function at(name: string, javaScriptEnabled = true): Promise<Page> {
  const state = PAGE_STATES.find((one) => one.name === name);
  const served = await serveBroker(state?.harness);
  onTestFinished(() => served.close());
  const options = { locale: 'en', viewport: { width: 390, height: 844 }, javaScriptEnabled };
  const { page } = await newPerson(browser, options, ['http://localhost:']);
  await state?.reach(page, served);
  return page;
}

const focused = (page: Page, what: string) => page.evaluate<string>(`document.activeElement.${what}`);

describe('twelve devices', () => {
  it('take one line each on a phone, and no more than three windows', async () => {
    const page = await at('sessions-many');
    const heights = await page.evaluate<number[]>(
      '[...document.querySelectorAll("details.device > summary")].filter((one) => one.checkVisibility()).map((one) => one.offsetHeight)',
    );
    expect(heights).toHaveLength(12);
    expect(Math.max(...heights)).toBeLessThan(110);
    expect(await page.evaluate<number>('document.documentElement.scrollHeight')).toBeLessThan(3 * 844);
  });

  it('are opened, left and ended by keys, and each stop is seen; the question comes before all are ended', async () => {
    const page = await at('sessions-many');
    await page.keyboard.press('Tab');
    expect(await focused(page, 'tagName')).toBe('SUMMARY');
    await page.keyboard.press('Enter');
    const stops: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      await page.keyboard.press('Tab');
      stops.push(`${await focused(page, 'tagName')} ${await focused(page, 'id.split("-")[0]')}`);
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    }
    expect(stops).toEqual(['INPUT name', 'BUTTON rename', 'BUTTON end', 'SUMMARY ']);
    await page.locator('main a.danger').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Disconnect all devices?' }).waitFor();
    await page.keyboard.press('Tab');
    // The first four are named; the next stop says how many follow.
    expect(await focused(page, 'textContent')).toBe('8 more');
    await page.keyboard.press('Tab');
    expect(await focused(page, 'textContent')).toBe('Keep them');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('All your devices are disconnected.').waitFor();
    expect(await page.locator('main form').count()).toBe(0);
  });

  it('have fields and buttons that are named after their device', async () => {
    const page = await at('sessions-details');
    const [name = ''] = await page.locator('.device[open] h2').allInnerTexts();
    await page.getByRole('textbox', { name: `Name ${name}`, exact: true }).waitFor();
    for (const label of ['Rename', 'Disconnect']) {
      await page.getByRole('button', { name: `${label} ${name}`, exact: true }).waitFor();
    }
  });
});

describe('after an act', () => {
  it.each([true, false])('a line that says what was done has the focus, script running: %s', async (isRunning) => {
    const page = await at('sessions', isRunning);
    expect(await page.locator('.status:focus').innerText()).toMatch(/is disconnected\.$/);
    expect(await page.locator('.status').getAttribute('role')).toBe('status');
  });

  it('a name that cannot be used leaves its device open, and the focus in the field', async () => {
    const page = await at('sessions-wrong-name');
    expect(await focused(page, 'name')).toBe('name');
  });

  it('the device that was connected just now is marked, and no other', async () => {
    const page = await at('sessions-just-connected');
    expect(await page.locator('.mark').allInnerTexts()).toEqual(['You just connected this']);
    expect(await page.locator('.device:has(.mark) h2').innerText()).toMatch(/^Build CLI, /);
  });
});
