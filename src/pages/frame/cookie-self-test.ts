import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import type { Sealing } from '../../sealing/sealing.ts';
import type { RandomBytes } from '../../sealing/secret.ts';
import type { BrowserSessions } from '../../storage/storage.ts';
import { browserOf, browserSessions, newBrowserValue, renewBrowserSession } from './browser-session.ts';
import { pageAddresses } from './page-addresses.ts';
import { SealedSessionStore } from './sealed-session-store.ts';

export interface CookieSelfTestDeps {
  /** An empty one, which is thrown away afterwards. */
  store: BrowserSessions;
  sealing: Sealing;
  randomBytes: RandomBytes;
  publicUrl: URL;
}

const LIFE_MS = 60 * 1000;

/**
 * Gives an imaginary browser its session and takes the cookie back, as two requests that no socket carries: signature,
 * sealed store and express-session's place in Node's answers, without Express itself, which takes longer to load than
 * the rest of a start.
 *
 * @throws whatever is wrong
 */
export async function testCookies({
  store: inner,
  sealing,
  randomBytes,
  publicUrl,
}: CookieSelfTestDeps): Promise<void> {
  const addresses = pageAddresses(publicUrl);
  const store = new SealedSessionStore({
    inner,
    sealing,
    onForgery(error) {
      throw error;
    },
  });
  const open = browserSessions({ store, sealing, randomBytes, addresses });
  const visit = async (cookie?: string): Promise<{ request: Request; response: Response }> => {
    const request = new IncomingMessage(new Socket());
    Object.assign(request, { method: 'GET', url: '/device', secure: addresses.isSecure });
    if (cookie !== undefined) request.headers.cookie = cookie;
    const exchange = { request, response: new ServerResponse(request) } as unknown as Awaited<ReturnType<typeof visit>>;
    await new Promise<void>((resolve, reject) => {
      open(exchange.request, exchange.response, (error: unknown) => (error === undefined ? resolve() : reject(error)));
    });
    return exchange;
  };

  const browser = newBrowserValue(randomBytes);
  const first = await visit();
  await renewBrowserSession(first.request, browser, LIFE_MS);
  first.response.end();
  const [cookie = ''] = String(first.response.getHeader('set-cookie') ?? '').split(';');
  if (cookie === '') throw new Error('no cookie was set');
  const second = await visit(cookie);
  if (browserOf(second.request)?.reveal() !== browser.reveal()) throw new Error('the cookie was not known again');
}
