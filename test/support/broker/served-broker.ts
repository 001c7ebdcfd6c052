import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { createPublicServer } from '../../../src/cli/start/public-server.ts';
import type { StartedGrant } from '../../../src/grants/start/start-grant.ts';
import { openPageHarness, type PageHarness, type PageHarnessOptions } from '../browser/page-harness.ts';

/** The pages behind a socket, for a real browser. Their upstreams send everybody straight back, signed in. */
export interface ServedBroker {
  harness: PageHarness;
  origin: string;
  /** A page of another site with a link to this address. */
  foreignLink(address: string): string;
  close(): Promise<void>;
}

export async function serveBroker(options: PageHarnessOptions = {}): Promise<ServedBroker> {
  const handle: RequestListener = (request, response) => {
    // The same machine under another name is another site.
    if (request.headers.host?.startsWith('localhost') !== true) return void harness.app(request, response);
    const to = new URL(request.url ?? '/', 'http://localhost').searchParams.get('to') ?? '';
    const escaped = to.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
    response.setHeader('content-type', 'text/html');
    return void response.end(`<!doctype html><title>Mail</title><a href="${escaped}">Your account needs you</a>`);
  };
  const server = createPublicServer(handle, (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const harness = openPageHarness({ publicUrl: origin, ...options });
  for (const upstream of Object.values(harness.upstreams)) {
    const { signInAddress } = upstream;
    upstream.signInAddress = async (trip) => {
      await signInAddress(trip);
      const back = new URL(trip.redirectUri);
      // The redirect URI once more, for visitors without a browser, who make their own way back.
      const { state, redirectUri } = trip;
      back.search = new URLSearchParams({ code: 'abc', state, redirect_uri: redirectUri }).toString();
      return back;
    };
  }
  return {
    harness,
    origin,
    foreignLink: (address) => `http://localhost:${port}/?to=${encodeURIComponent(address)}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** From the code form to wherever the sign-in leads. */
export async function enterCode(page: Page, { origin }: ServedBroker, code: string, query = ''): Promise<void> {
  await page.goto(`${origin}/device${query}`);
  await page.fill('[name=user_code]', code);
  await page.click('main form button');
}

export async function goToConfirm(
  page: Page,
  served: ServedBroker,
  more: { start?: Parameters<PageHarness['start']>[0]; isPrefilled?: boolean } = {},
): Promise<StartedGrant> {
  const started = await served.harness.start(more.start);
  const query = more.isPrefilled === true ? `?user_code=${started.userCode}` : '';
  await enterCode(page, served, started.userCode, query);
  await page.waitForURL(/\/device\/confirm\?/);
  return started;
}

export async function answer(page: Page, decision: string): Promise<void> {
  await page.click(`[name=decision][value=${decision}]`);
}
