import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LoopbackListener, openLoopbackListener } from '../../src/cli/login/loopback-listener.ts';
import {
  choose,
  heading,
  type Journey,
  reachConfirm,
  type StartedDevice,
  startJourney,
  waitForHeading,
} from '../support/browser/browser-journey.ts';
import { launchChromium, newPerson } from '../support/browser/chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const PATH = 'Zm9ydHktdHdvIHJhbmRvbS';
const PHONE = 'Mozilla/5.0 (Linux; Android 16) Chrome/156.0.0.0 Mobile Safari/537.36';
const DIGITS = '.code.digits';

async function openListener(journey: Journey): Promise<LoopbackListener> {
  const listener = await openLoopbackListener();
  if (listener === undefined) throw new Error('nothing may listen here');
  onTestFinished(() => listener.close());
  listener.returnTo(journey.address);
  return listener;
}

/** Another program on this machine; answers its port and what it was asked. */
async function openProgram(answer: RequestListener): Promise<{ port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A device asks with this port, and somebody in a browser here gets as far as the confirm page. */
async function confirming(
  journey: Journey,
  { port, path = PATH }: { port: number; path?: string },
  { userAgent, by = browser }: { userAgent?: string; by?: Browser } = {},
): Promise<{ page: Page; started: StartedDevice }> {
  const started = await journey.start({
    confirmation: 'loopback',
    loopback_port: String(port),
    loopback_path: path,
  });
  const options = { locale: 'en', ...(userAgent !== undefined && { userAgent }) };
  const { page } = await newPerson(by, options, [journey.provider.issuer, `http://127.0.0.1:${port}`, 'chrome-error:']);
  await reachConfirm(page, journey.address, started.userCode);
  return { page, started };
}

const pollWith = async ({ device, deviceCode }: StartedDevice, confirmation_code: string) => {
  const { status, body } = await device.poll(deviceCode, { confirmation_code });
  return status === 200 ? 'tokens' : body.error;
};

describe('a browser on the device’s machine', () => {
  it('brings the proof to the device, and comes back', async () => {
    const journey = await startJourney();
    const listener = await openListener(journey);
    const { page, started } = await confirming(journey, listener);
    await choose(page, 'approve');
    await page.waitForURL(/loopback=told/);
    expect(await heading(page)).toBe('Approved');
    expect(await page.locator(DIGITS).count()).toBe(0);
    expect(await started.poll()).toBe('authorization_pending');
    expect(await pollWith(started, listener.take() ?? '')).toBe('tokens');
    await page.reload();
    await waitForHeading(page, 'Connected');
  });

  it('needs no permission of Local Network Access, where the broker is a public site', async () => {
    const journey = await startJourney();
    const other = await openProgram((_, response) => response.end('<h1>Some other site</h1>'));
    const sites = [new URL(journey.test.publicUrl).host, `127.0.0.1:${other.port}`];
    const spaces = sites.map((host) => `${host}=public`).join(',');
    const publicBroker = await launchChromium([`--ip-address-space-overrides=${spaces}`]);
    onTestFinished(() => publicBroker.close());
    const listener = await openListener(journey);
    const { page, started } = await confirming(journey, listener, { by: publicBroker });
    await choose(page, 'approve');
    await page.waitForURL(/loopback=told/);
    expect(await pollWith(started, listener.take() ?? '')).toBe('tokens');
    // The control: a page there that asks for the address itself is denied it.
    const control = await publicBroker.newPage();
    await control.goto(`http://127.0.0.1:${other.port}/`);
    const asked = `fetch('http://127.0.0.1:${listener.port}/', { mode: 'no-cors' }).then(() => 'sent', () => 'denied')`;
    expect(await control.evaluate(asked)).toBe('denied');
  });

  it('takes the link by the keyboard, where it does not go by itself', async () => {
    const journey = await startJourney();
    const listener = await openListener(journey);
    const { page, started } = await confirming(journey, listener, { userAgent: PHONE });
    await choose(page, 'approve');
    await page.waitForURL(/loopback=ask/);
    await page.locator('main a.button').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/loopback=told/);
    expect(await pollWith(started, listener.take() ?? '')).toBe('tokens');
  });
});

describe('a browser elsewhere', () => {
  /** What the person sees who goes back from wherever the browser ended. */
  async function digitsAfterBack(page: Page): Promise<string> {
    await page.goBack();
    await page.waitForSelector(DIGITS);
    return page.innerText(DIGITS);
  }

  it('shows its error where nobody listens, and the digits to who goes back', async () => {
    const journey = await startJourney();
    const { page, started } = await confirming(journey, { port: await freePort() });
    await choose(page, 'approve');
    await expect.poll(() => page.url()).toBe('chrome-error://chromewebdata/');
    expect(await pollWith(started, await digitsAfterBack(page))).toBe('tokens');
  });

  it.each<[string, RequestListener]>([
    ['does not know the address', (_, response) => response.writeHead(404).end('no')],
    ['answers everything', (_, response) => response.end('<h1>Some other program</h1>')],
  ])('gives a program that %s nothing of use', async (_, answer) => {
    const journey = await startJourney();
    const program = await openProgram(answer);
    const { page, started } = await confirming(journey, program);
    await choose(page, 'approve');
    await expect.poll(() => program.asked.length).toBeGreaterThan(0);
    const [{ method, headers, url = '' } = {} as IncomingMessage] = program.asked;
    expect([method, headers.referer, headers['sec-fetch-dest']]).toEqual(['GET', undefined, 'document']);
    const back = new URL(new URL(url, 'http://x').searchParams.get('return_uri') ?? '');
    expect((await fetch(back)).status).toBe(400);
    await page.waitForURL((at) => !at.href.startsWith(journey.test.publicUrl));
    expect(await pollWith(started, await digitsAfterBack(page))).toBe('tokens');
  });

  it('is not held by a program that does not answer: the link to the digits is there', async () => {
    const journey = await startJourney();
    const program = await openProgram(() => undefined);
    const { page, started } = await confirming(journey, program);
    await page.locator('[name=decision][value=approve]').click({ noWaitAfter: true });
    await expect.poll(() => program.asked.length).toBeGreaterThan(0);
    // While a navigation is under way the debugger waits for it; the keyboard does not.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector(DIGITS);
    expect(await pollWith(started, await page.innerText(DIGITS))).toBe('tokens');
  });

  it('on a phone goes to no address by itself, and leads to the digits', async () => {
    const journey = await startJourney();
    const program = await openProgram(() => undefined);
    const { page, started } = await confirming(journey, program, { userAgent: PHONE });
    await choose(page, 'approve');
    await page.waitForURL(/loopback=ask/);
    expect(await page.locator(DIGITS).count()).toBe(0);
    await page.click('main a:has-text("Use four digits instead")');
    await page.waitForSelector(DIGITS);
    expect(program.asked).toEqual([]);
    expect(await pollWith(started, await page.innerText(DIGITS))).toBe('tokens');
  });
});
