import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startForeignSite, startJourney } from '../support/browser/browser-journey.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** A page of another site, in the browser of somebody behind the same address as the devices. */
async function openThere({ test, provider }: Journey, html: string): Promise<void> {
  const site = await startForeignSite({ '/': { html } });
  const { page } = await newPerson(browser, { locale: 'en' }, [provider.issuer, site, test.publicUrl]);
  const answered = page.waitForEvent('console', { predicate: (message) => message.text() === 'done' });
  await page.goto(`${site}/`);
  await answered;
}

const startedThere = ({ test }: Journey) => test.lines.filter(({ event }) => event === 'grant.started').length;
const tripsOf = ({ test }: Journey) => test.lines.filter(({ event }) => event === 'sign_in.started').length;

describe('a page of another site', () => {
  it.each([
    [
      'by fetch',
      (address: string) => `
        const body = new URLSearchParams({ client_id: 'build-cli' });
        await Promise.all(Array.from({ length: 5 }, () => fetch('${address}', { method: 'POST', mode: 'no-cors', body })));`,
    ],
    [
      'by a beacon',
      (address: string) => `
        for (let n = 0; n < 5; n += 1) {
          navigator.sendBeacon('${address}', new URLSearchParams({ client_id: 'build-cli' }));
        }
        await fetch('${address}', { method: 'POST', mode: 'no-cors', body: new URLSearchParams({ n: '1' }) });`,
    ],
    [
      'by forms in frames',
      (address: string) => `
        await Promise.all(Array.from({ length: 5 }, (_, n) => new Promise((done) => {
          const frame = document.createElement('iframe');
          frame.name = 'frame' + n;
          document.body.append(frame);
          const form = document.body.appendChild(document.createElement('form'));
          Object.assign(form, { method: 'post', action: '${address}', target: frame.name });
          form.innerHTML = '<input name=client_id value=build-cli>';
          frame.onload = done;
          form.submit();
        })));`,
    ],
    [
      'by a form that hides where it comes from',
      (address: string) => `
        document.head.innerHTML += '<meta name=referrer content=no-referrer>';
        await new Promise((done) => {
          const frame = document.createElement('iframe');
          frame.name = 'frame';
          document.body.append(frame);
          const form = document.body.appendChild(document.createElement('form'));
          Object.assign(form, { method: 'post', action: '${address}', target: 'frame' });
          form.innerHTML = '<input name=client_id value=build-cli>';
          frame.onload = done;
          form.submit();
        });`,
    ],
  ])('starts no grant %s, and uses up nothing', async (_, script) => {
    const journey = await startJourney({ limits: { starts_per_source: 2 } });
    const attack = script(`${journey.test.publicUrl}/device_authorization`);
    await openThere(journey, `<body><script type="module">${attack} console.log('done');</script>`);
    expect(startedThere(journey)).toBe(0);
    for (let n = 0; n < 2; n += 1) expect((await journey.test.device().start()).status).toBe(200);
  });

  it.each([
    [
      'images',
      (address: string) => `
        for (let n = 0; n < 70; n += 1) document.body.insertAdjacentHTML('beforeend', '<img src="${address}&n=' + n + '">');
        await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));`,
    ],
    [
      'frames and objects',
      (address: string) => `
        await Promise.all(Array.from({ length: 35 }, (_, n) => Promise.all(['iframe', 'object'].map((name) => new Promise((done) => {
          const part = document.createElement(name);
          part.onload = part.onerror = done;
          part[name === 'iframe' ? 'src' : 'data'] = '${address}&n=' + n;
          document.body.append(part);
        })))));`,
    ],
    [
      'scripts',
      (address: string) => `
        await Promise.allSettled(Array.from({ length: 70 }, (_, n) => fetch('${address}&n=' + n, { mode: 'no-cors', credentials: 'include' })));`,
    ],
  ])('begins no sign-in by %s, and locks nobody out', async (_, script) => {
    const journey = await startJourney();
    const attack = script(`${journey.test.publicUrl}/sessions?upstream=corp`);
    await openThere(journey, `<body><script type="module">${attack} console.log('done');</script>`);
    expect(tripsOf(journey)).toBe(0);
    const { page } = await newPerson(browser, { locale: 'en' }, [journey.provider.issuer]);
    await page.goto(`${journey.test.publicUrl}/sessions`);
    await page.waitForURL(`${journey.provider.issuer}/**`);
    expect(tripsOf(journey)).toBe(1);
  });
});
