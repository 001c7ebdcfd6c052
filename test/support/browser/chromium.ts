import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, inject, onTestFinished } from 'vitest';

/** Only what a page of ours needs: nothing is fetched, updated or synchronised beside it. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A page that asks for anything from elsewhere fails here as it would behind a company's firewall.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost, EXCLUDE *.localhost',
];

/** A browser with an empty profile (Playwright makes a folder for it and removes it). Whoever launches it closes it. */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const found = inject('chromium');
  if ('missing' in found) throw new Error(found.missing);
  return chromium.launch({ executablePath: found.program, args: [...ARGUMENTS, ...more] });
}

/** Somebody with a browser of their own: cookies and storage are shared with nobody. */
export interface Person {
  context: BrowserContext;
  page: Page;
}

/**
 * A new person. When the test ends its context is closed, and the test fails if a page logged an error, threw one,
 * or broke its Content-Security-Policy.
 *
 * @param elsewhere origins whose pages are not ours: what they complain about is not our matter
 */
export async function newPerson(
  browser: Browser,
  options: BrowserContextOptions = {},
  elsewhere: readonly string[] = [],
): Promise<Person> {
  const context = await browser.newContext(options);
  const complaints: string[] = [];
  function complain(page: Page | null, text: string): void {
    const address = page?.url() ?? '';
    if (!elsewhere.some((origin) => address.startsWith(origin))) complaints.push(`${address}: ${text}`);
  }
  context.on('console', (message) => {
    if (message.type() === 'error' && !isMereStatus(message.text())) complain(message.page(), message.text());
  });
  context.on('weberror', (error) => complain(error.page(), String(error.error())));
  onTestFinished(async () => {
    await context.close();
    expect(complaints, 'what pages complained about').toEqual([]);
  });
  return { context, page: await context.newPage() };
}

/** Chromium logs every 4xx and 5xx answer as an error; our problem pages answer with those on purpose. */
function isMereStatus(text: string): boolean {
  return /^Failed to load resource: the server responded with a status of \d{3}/.test(text);
}
