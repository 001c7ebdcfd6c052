import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beSomebody,
  choose,
  heading,
  type Journey,
  startForeignSite,
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

const STOP = 'A link brought you here';

async function personAt({ provider }: Journey, elsewhere: string[] = []) {
  return newPerson(browser, { locale: 'en' }, [provider.issuer, ...elsewhere]);
}

describe('an address that was typed, scanned or opened by a terminal', () => {
  it('fills in the code, and its end must be typed from the device', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await page.goto(started.complete);
    expect(await page.inputValue('[name=user_code]')).toBe(started.userCode);
    await page.click('main form button');
    await beSomebody(page, 'alice');
    expect(await page.innerText('main')).not.toContain(started.userCode);
    const field = page.locator('[name=confirm_code]');
    await choose(page, 'approve');
    expect(page.url()).toContain('/device/confirm');
    await field.fill('0000');
    await choose(page, 'approve');
    await page.waitForSelector('[role=alert]#confirm_code_problem');
    expect(await started.poll()).toBe('authorization_pending');
    await field.fill(started.userCode.slice(-4).toLowerCase());
    await page.keyboard.press('Enter');
    await waitForHeading(page, 'Approved');
  });

  it('can be denied without typing anything', async () => {
    const journey = await startJourney();
    const { page } = await personAt(journey);
    const started = await journey.start();
    await page.goto(started.complete);
    await page.click('main form button');
    await beSomebody(page, 'alice');
    await choose(page, 'deny');
    await waitForHeading(page, 'Denied');
  });
});

describe('a page that a link leads to first', () => {
  it.each([
    '/callback/corp?state=x&code=y',
    '/callback/nobody',
    '/sessions',
    '/sessions?upstream=corp',
    '/device/confirm?ticket=x',
    '/nowhere',
  ])('%s is no way past the stop page', async (path) => {
    const journey = await startJourney({ clients: { 'build-cli': { safeguards: 'strict' } } });
    const { page } = await personAt(journey, ['http://localhost:']);
    // Somebody who was here before has more that could be taken for the way back.
    await page.goto(journey.address);
    await typeCode(page, (await journey.start()).userCode);
    await page.waitForURL(`${journey.provider.issuer}/**`);
    const site = await startForeignSite({ '/': { html: `<a href="${journey.test.publicUrl}${path}">Go</a>` } });
    await page.goto(`${site}/`);
    await page.click('a');
    await page.waitForURL(`${journey.test.publicUrl}/**`);
    const ways = await page.locator('main a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    for (const way of ['/device', ...ways.filter((href) => href?.startsWith('/device') === true)]) {
      await page.evaluate(`location.href = ${JSON.stringify(way)}`).catch(() => undefined);
      await waitForHeading(page, STOP);
    }
    await page.goto(journey.address);
    expect(await heading(page)).toBe('Connect a device');
  });

  it('is none that the upstream leads back to', async () => {
    const journey = await startJourney({ clients: { 'build-cli': { safeguards: 'strict' } } });
    const { page } = await personAt(journey);
    await page.goto(`${journey.test.publicUrl}/sessions`);
    await page.click('button[value=alice]');
    await waitForHeading(page, 'Your devices');
    expect((await page.context().cookies()).map(({ name }) => name).join()).not.toContain('-link-');
  });
});

describe('a link on another site', () => {
  async function linked(make: (complete: string) => Record<string, { html: string } | { location: string }>) {
    const journey = await startJourney();
    const started = await journey.start();
    const site = await startForeignSite(make(started.complete));
    const { page } = await personAt(journey, [site]);
    await page.goto(`${site}/`);
    return { journey, started, page };
  }

  it.each([
    ['a plain link', (to: string) => ({ '/': { html: `<a href="${to}">Go</a>` } })],
    ['noreferrer', (to: string) => ({ '/': { html: `<a rel="noreferrer noopener" href="${to}">Go</a>` } })],
    ['a chain of redirects', (to: string) => ({ '/': { html: '<a href="/go">Go</a>' }, '/go': { location: to } })],
    [
      'a page that goes on by itself',
      (to: string) => ({
        '/': { html: '<a href="/on">Go</a>' },
        '/on': { html: `<meta http-equiv="refresh" content="0;url=${to}">` },
      }),
    ],
    ['a script', (to: string) => ({ '/': { html: `<a href="#" onclick="location.href='${to}'">Go</a>` } })],
    [
      'a form',
      (to: string) => ({
        '/': { html: `<form action="${to.split('?')[0]}"><a onclick="this.parentNode.submit()">Go</a>` },
      }),
    ],
  ])('by %s is stopped, and the code is dropped', async (_, make) => {
    const { page, started } = await linked(make);
    await page.click('a');
    await waitForHeading(page, STOP);
    expect(await page.content()).not.toContain(started.userCode);
    await page.click('main a.button');
    expect(await page.inputValue('[name=user_code]')).toBe('');
  });

  it('is remembered to the confirm page, which warns of it', async () => {
    const { page, started } = await linked((to) => ({ '/': { html: `<a href="${to}">Go</a>` } }));
    await page.click('a');
    await waitForHeading(page, STOP);
    await page.click('main a.button');
    await typeCode(page, started.userCode);
    await beSomebody(page, 'alice');
    expect(await page.innerText('main')).toContain('a link from another website');
    await choose(page, 'deny');
    await waitForHeading(page, 'Denied');
  });

  it('has no way on where every client is strict', async () => {
    const journey = await startJourney({ clients: { 'build-cli': { safeguards: 'strict' } } });
    const started = await journey.start();
    const site = await startForeignSite({ '/': { html: `<a href="${started.complete}">Go</a>` } });
    const { page } = await personAt(journey, [site]);
    await page.goto(`${site}/`);
    await page.click('a');
    await waitForHeading(page, STOP);
    expect(await page.locator('main a, main form').count()).toBe(0);
    // Neither another language nor a reload is a way past it; an address that one types is.
    await page.click('button[lang=de]');
    await waitForHeading(page, 'Ein Link hat Sie hierher geführt');
    await page.click('button[lang=en]');
    await waitForHeading(page, STOP);
    await page.reload();
    expect(await heading(page)).toBe(STOP);
    await page.goto(started.complete);
    expect(await heading(page)).toBe('Connect a device');
  });
});
