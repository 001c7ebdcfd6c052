import axe, { type AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../src/operations/status/status.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';
import { QUIET, TROUBLED } from '../support/samples/sample-status.ts';
import { serveStatus } from '../support/samples/served-status.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function serve(status: Status): Promise<string> {
  const { url, close } = await serveStatus(status);
  onTestFinished(close);
  return url;
}

describe('/status in Chromium', () => {
  it.each([
    ['just started', QUIET, 0],
    ['in trouble', TROUBLED, 3],
  ] as const)(
    '%s: axe finds nothing, light or dark, and 320 pixels need no scrolling sideways',
    async (_, status, bad) => {
      const { page } = await newPerson(browser, { colorScheme: 'light', viewport: { width: 1100, height: 900 } });
      await page.goto(await serve(status));
      const findings = async () => {
        if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
        const rules = JSON.stringify({ runOnly: { type: 'tag', values: RULES } });
        const { violations } = await page.evaluate<AxeResults>(`axe.run(${rules})`);
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      };
      expect(await findings()).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await findings()).toEqual([]);
      expect(await page.locator('.bad').count()).toBe(bad);
      // The style is the page's own, and the policy lets it.
      const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(ground).toBe('rgb(18, 21, 24)');
      expect(await page.evaluate<number>("document.querySelector('svg.chart polyline').points.numberOfItems")).toBe(60);
      await page.setViewportSize({ width: 320, height: 600 });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(320);
    },
  );
});
