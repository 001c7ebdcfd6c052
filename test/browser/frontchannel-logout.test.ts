import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { startDevice, startForeignSite } from '../support/browser/browser-journey.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** Somebody whose device is signed in, and the address that tells that their session at the upstream is over. */
async function signedIn() {
  const test = await createTestBroker({ yaml: { upstreams: { corp: { front_channel_logout: true } } } });
  onTestFinished(() => test.close());
  const started = await startDevice(test);
  await test.approveInBrowser(started.userCode);
  const tokens = await started.device.poll(started.deviceCode);
  const isAlive = async () => (await started.device.refresh(String(tokens.body.refresh_token))).status === 200;
  const query = new URLSearchParams({ iss: test.upstream.issuer, sid: 'upstream-session-1' }).toString();
  await test.advance(10);
  return { test, isAlive, frame: `${test.publicUrl}/frontchannel-logout/corp?${query}` };
}

/** What is in the frame of a page, as far as the browser shows it. */
async function framed(address: string, origins: string[]): Promise<string> {
  const { page } = await newPerson(browser, { locale: 'en' }, origins);
  await page.goto(address, { waitUntil: 'load' });
  return (
    (await page
      .frames()[1]
      ?.title()
      .catch(() => '')) ?? ''
  );
}

it('the upstream’s sign-out page shows it in a frame, and the device is signed out', async () => {
  const { test, isAlive, frame } = await signedIn();
  test.upstream.behaviour = { signOut: { frames: [frame] } };
  const address = `${test.upstream.issuer}/logout`;
  expect(await framed(address, [test.upstream.issuer, test.publicUrl])).toBe('Gatehouse');
  expect(await isAlive()).toBe(false);
});

it('another site’s page shows nothing; what it sent counts all the same, since it knew the session', async () => {
  const { test, isAlive, frame } = await signedIn();
  const site = await startForeignSite({ '/': { html: `<iframe src="${frame.replaceAll('&', '&amp;')}"></iframe>` } });
  expect(await framed(`${site}/`, [site, test.publicUrl])).not.toBe('Gatehouse');
  expect(await isAlive()).toBe(false);
});
