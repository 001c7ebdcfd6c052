import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LANGUAGES } from '../../src/config/schema/pages-schema.ts';
import { serveBroker } from '../support/broker/served-broker.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';
import { PAGE_STATES, type PageState } from '../support/browser/page-states.ts';

const WCAG_22_AA: RunOptions = {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
};
/** What can differ between light and dark. */
const COLOURS: RunOptions = { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } };

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function open(state: PageState, options: BrowserContextOptions): Promise<Page> {
  const settings = { title: 'Gatehouse', languages: [...LANGUAGES], theme: {}, ...state.harness?.settings };
  const served = await serveBroker({ ...state.harness, settings });
  onTestFinished(() => served.close());
  const { page } = await newPerson(browser, options, ['http://localhost:']);
  await state.reach(page, served);
  return page;
}

/** By the debugger's way, which no Content-Security-Policy stands in. */
async function findings(page: Page, options: RunOptions): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const widthOf = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth');

describe('axe-core finds nothing, light or dark, and 320 pixels need no scrolling sideways', () => {
  it.each(PAGE_STATES.map((state) => [state.name, state] as const))('%s', async (_, state) => {
    const page = await open(state, { locale: 'en', colorScheme: 'light' });
    expect(await findings(page, WCAG_22_AA)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await findings(page, COLOURS)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 600 });
    expect(await widthOf(page)).toBe(320);
  });

  const worded = PAGE_STATES.filter(({ name }) => ['confirm-warnings', 'sessions'].includes(name));
  it.each(worded.flatMap((state) => LANGUAGES.map((language) => [state.name, language, state] as const)))(
    '%s in the language %s',
    async (_, language, state) => {
      const page = await open(state, { locale: language, viewport: { width: 320, height: 600 } });
      expect(await page.getAttribute('html', 'lang')).toBe(language);
      expect(await page.getAttribute('html', 'dir')).toBe(language === 'ar' ? 'rtl' : 'ltr');
      expect(await findings(page, WCAG_22_AA)).toEqual([]);
      expect(await widthOf(page)).toBe(320);
    },
  );
});

describe('the administrator’s colours', () => {
  const state = PAGE_STATES.find(({ name }) => name === 'confirm-type-suffix') as PageState;
  it.each([
    ['#ffffff', '#000000'],
    ['#777777', '#777777'],
    ['#ffcc00', '#fffbe6'],
    ['#0b5fff', '#102030'],
  ])('accent %s on %s leave every text readable', async (accent, background) => {
    const settings = { title: 'Gatehouse', languages: ['en', 'de'], theme: { accent, background } };
    const page = await open({ ...state, harness: { settings } }, { locale: 'en', colorScheme: 'light' });
    expect(await findings(page, COLOURS)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await findings(page, COLOURS)).toEqual([]);
  });
});

describe('the decision', () => {
  const state = (name: string) => PAGE_STATES.find((one) => one.name === name) as PageState;

  async function inSight(page: Page): Promise<Record<string, boolean>> {
    return page.evaluate(`Object.fromEntries(['[value=deny]', '[value=approve]', '.question'].map((name) => {
      const { top, bottom } = document.querySelector(name).getBoundingClientRect();
      return [name, top >= 0 && bottom <= innerHeight];
    }))`);
  }

  it('is in sight on a phone with one warning and three scopes, the question with it', async () => {
    const page = await open(state('confirm-one-warning'), { locale: 'en', viewport: { width: 390, height: 844 } });
    expect(await page.locator('.warning li').count()).toBe(1);
    expect(await page.locator('dd').nth(1).locator('li').count()).toBe(3);
    expect(await page.evaluate('scrollY')).toBe(0);
    expect(await inSight(page)).toEqual({ '[value=deny]': true, '[value=approve]': true, '.question': true });
  });

  it.each(LANGUAGES)('is in sight in the language %s, with every warning', async (language) => {
    const page = await open(state('confirm-warnings'), { locale: language, viewport: { width: 390, height: 844 } });
    expect(await inSight(page)).toEqual({ '[value=deny]': true, '[value=approve]': true, '.question': true });
  });

  it('hides nothing that has the focus', async () => {
    const page = await open(state('confirm-type-suffix'), { locale: 'en', viewport: { width: 390, height: 844 } });
    await page.focus('[name=confirm_code]');
    const [field, decision] = await Promise.all(
      ['[name=confirm_code]', '.decision'].map((name) => page.locator(name).boundingBox()),
    );
    expect((field?.y ?? 0) + (field?.height ?? 0)).toBeLessThanOrEqual(decision?.y ?? 0);
  });

  it.each(['confirm', 'confirm-warnings', 'confirm-many'])(
    'of %s stays within its card with text at 200 %%, and covers no half of the window',
    async (name) => {
      const page = await open(state(name), { locale: 'en', viewport: { width: 390, height: 844 } });
      // By the debugger's way: the page's policy lets no style in.
      await page.evaluate("document.documentElement.style.setProperty('font-size', '200%')");
      expect(await widthOf(page)).toBe(390);
      const card = await page.locator('main').boundingBox();
      for (const answer of ['deny', 'approve']) {
        const box = await page.locator(`[value=${answer}]`).boundingBox();
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((card?.x ?? 0) + (card?.width ?? 0));
      }
      expect((await inSight(page))['[value=approve]']).toBe(false);
    },
  );
});

describe('the stylesheet', () => {
  const state = PAGE_STATES.find(({ name }) => name === 'confirm') as PageState;
  const styleOf = (page: Page, selector: string, name: string) =>
    page.evaluate<string>(
      `getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(name)}]`,
    );

  it('prints no language switch, and the answers where they belong', async () => {
    const page = await open(state, { locale: 'en' });
    expect(await styleOf(page, '.languages', 'display')).toBe('flex');
    await page.emulateMedia({ media: 'print' });
    expect(await styleOf(page, '.languages', 'display')).toBe('none');
    expect(await styleOf(page, '.decision', 'position')).toBe('static');
  });

  it('keeps the edge of the code where the person’s own colours are forced', async () => {
    const page = await open(state, { locale: 'en', forcedColors: 'active' });
    expect(await styleOf(page, '.shown', 'borderTopStyle')).toBe('solid');
  });
});
