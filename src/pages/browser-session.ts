import type { Request, RequestHandler } from 'express';
import session, { type Store } from 'express-session';
import type { RandomBytes } from '../grants/device-code.ts';
import type { BrowserValue } from '../grants/trip.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import type { PageAddresses } from './page-addresses.ts';

declare module 'express-session' {
  interface SessionData {
    /** The browser value; survives changes of the session's id and never leaves the server. */
    browser?: string;
  }
}

const ID_BYTES = 32;
const BROWSER_VALUE_BYTES = 32;

export interface BrowserSessionOptions {
  store: Store;
  sealing: Sealing;
  randomBytes: RandomBytes;
  addresses: PageAddresses;
}

/**
 * Browser sessions by express-session. Nothing is stored before there is a browser value, and no request makes a
 * session live longer.
 */
export function browserSessions({ store, sealing, randomBytes, addresses }: BrowserSessionOptions): RequestHandler {
  return session({
    store,
    name: addresses.cookieName(''),
    genid: () => randomBytes(ID_BYTES).toString('base64url'),
    secret: sealing.tags('cookie signature', 'browser session'),
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: addresses.isSecure },
    saveUninitialized: false,
    resave: false,
    rolling: false,
  });
}

/** The value of the browser session that came with the request, if there is one. */
export function browserOf(request: Request): BrowserValue | undefined {
  const { browser } = request.session;
  return browser === undefined || browser === '' ? undefined : new Secret(browser);
}

export function newBrowserValue(randomBytes: RandomBytes): BrowserValue {
  return new Secret(randomBytes(BROWSER_VALUE_BYTES).toString('base64url'));
}

/**
 * Gives the browser session a new id, so that an id which somebody planted or saw before this step opens nothing after
 * it. The old one is destroyed; the browser value goes on.
 *
 * @param lifeMs the least that it lives from now on; a longer life that it has stays
 */
export async function renewBrowserSession(request: Request, browser: BrowserValue, lifeMs = 0): Promise<void> {
  const { expires } = request.session.cookie;
  const leftMs = expires === null || expires === undefined ? 0 : new Date(expires).getTime() - Date.now();
  // Without a browser value the id is fresh from `genid`: there is nothing to destroy.
  if (browserOf(request) !== undefined) await called((done) => request.session.regenerate(done));
  request.session.browser = browser.reveal();
  request.session.cookie.maxAge = Math.max(leftMs, lifeMs);
  // Before the answer, so that a storage that is away is a 503 and not a cookie for nothing.
  await called((done) => request.session.save(done));
}

function called(run: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
