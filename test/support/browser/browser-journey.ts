import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../../../demo/embedded-upstream.ts';
import { createTestBroker, type TestBroker, type TestBrokerOptions, type YamlChanges } from '../broker/test-broker.ts';
import type { TestDevice } from '../broker/test-device.ts';

/** A whole broker with a real OpenID provider as its upstream, for people with real browsers. */
export interface Journey {
  test: TestBroker;
  provider: EmbeddedUpstream;
  /** The code page. */
  address: string;
  start(more?: Record<string, string>): Promise<StartedDevice>;
}

export interface StartedDevice {
  device: TestDevice;
  deviceCode: string;
  userCode: string;
  /** The complete verification URI. */
  complete: string;
  /** What the next poll says: an error's name, or `tokens`. */
  poll(): Promise<string>;
}

export async function startJourney(yaml: YamlChanges = {}, more: TestBrokerOptions = {}): Promise<Journey> {
  const test = await createTestBroker({ yaml, ...more });
  const provider = await startEmbeddedUpstream({
    clients: [
      { clientId: 'gatehouse', secret: test.upstream.clientSecret, redirectUris: [`${test.publicUrl}/callback/corp`] },
    ],
  });
  const { upstreams, ...rest } = yaml;
  test.reload({ ...rest, upstreams: { ...upstreams, corp: { ...upstreams?.['corp'], issuer: provider.issuer } } });
  onTestFinished(async () => {
    await test.close();
    await provider.close();
  });
  return { test, provider, address: `${test.publicUrl}/device`, start: (started = {}) => startDevice(test, started) };
}

export async function startDevice(test: TestBroker, more: Record<string, string> = {}): Promise<StartedDevice> {
  const device = test.device();
  const { status, body, text } = await device.start(more);
  if (status !== 200) throw new Error(`start: ${status} ${text}`);
  return {
    device,
    deviceCode: body.device_code,
    userCode: body.user_code,
    complete: String(body['verification_uri_complete']),
    async poll() {
      const polled = await device.poll(body.device_code);
      return polled.status === 200 ? 'tokens' : polled.body.error;
    },
  };
}

export async function typeCode(page: Page, code: string): Promise<void> {
  await page.fill('[name=user_code]', code);
  await page.click('main form button');
}

/** At the embedded upstream, which asks who one is. */
export async function beSomebody(page: Page, user: string): Promise<void> {
  await page.click(`button[value=${user}]`);
  await page.waitForURL(/\/device\/(confirm|done)\?/);
}

export async function reachConfirm(page: Page, address: string, code: string, user = 'alice'): Promise<void> {
  await page.goto(address);
  await typeCode(page, code);
  await beSomebody(page, user);
}

export async function choose(page: Page, decision: string): Promise<void> {
  await page.click(`[name=decision][value=${decision}]`);
}

export function heading(page: Page): Promise<string> {
  return page.innerText('h1');
}

/** By its words as a whole. No `waitForFunction`: it evaluates in the page, where the policy rightly forbids that. */
export async function waitForHeading(page: Page, text: string): Promise<void> {
  await page.getByRole('heading', { name: text, exact: true, level: 1 }).waitFor();
}

/** Another site: each path answers with what is written for it. */
export async function startForeignSite(
  pages: Record<string, { html: string } | { location: string }>,
): Promise<string> {
  const server = createServer((request, response) => {
    const found = pages[request.url ?? ''];
    if (found === undefined) response.writeHead(404).end();
    else if ('location' in found) response.writeHead(302, { location: found.location }).end();
    else {
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Mail</title>${found.html}`);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}
