import type { Request, RequestHandler } from 'express';
import session, { type SessionData, type Store } from 'express-session';
import type { BrowserValue } from '../../grants/decide/trip.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import { type RandomBytes, Secret } from '../../sealing/secret.ts';
import type { PageAddresses } from './page-addresses.ts';

declare module 'express-session' {
  interface SessionData {
    /** The browser value; survives changes of the session's id and never leaves the server. */
    browser?: string;
    /** Under this id somebody decided a moment ago; it is good for another form that decides, and for nothing else. */
    isLeft?: boolean;
  }
}

const ID_BYTES = 32;
const BROWSER_VALUE_BYTES = 32;
/** A second click comes with the cookie of the first, before the browser has read that one's answer. */
const LEFT_MS = 10 * 1000;

export interface BrowserSessionDeps {
  store: Store;
  sealing: Sealing;
  randomBytes: RandomBytes;
  addresses: PageAddresses;
}

/**
 * Browser sessions by express-session. Nothing is stored before there is a browser value, and no request makes a
 * session live longer.
 */
export function browserSessions({ store, sealing, randomBytes, addresses }: BrowserSessionDeps): RequestHandler {
  return session({
    store,
    name: addresses.cookieName(''),
    genid: () => randomBytes(ID_BYTES).toString('base64url'),
    secret: sealing.tags('cookie signature', 'browser session'),
    cookie: addresses.cookieFlags,
    saveUninitialized: false,
    resave: false,
    rolling: false,
  });
}

/** The value of the browser session that came with the request, if there is one. */
export function browserOf(request: Request): BrowserValue | undefined {
  return request.session.isLeft === true ? undefined : answeringBrowserOf(request);
}

/** The same for a form that decides, which may come twice. */
export function answeringBrowserOf(request: Request): BrowserValue | undefined {
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
  const leastMs = Math.max(lifeLeftMs(request), lifeMs);
  // Without a browser value the id is fresh from `genid`: there is nothing to destroy.
  if (answeringBrowserOf(request) !== undefined) await asPromise((done) => request.session.regenerate(done));
  await keep(request, browser, leastMs);
}

/**
 * The new id at a decision. The old one is left behind for a moment, for who clicks twice: it was given at the step
 * before, so nobody has planted it.
 */
export async function leaveBrowserSession(request: Request, browser: BrowserValue, lifeMs: number): Promise<void> {
  const { session, sessionID, sessionStore } = request;
  const leastMs = Math.max(lifeLeftMs(request), lifeMs);
  if (session.isLeft !== true) {
    const cookie = { expires: new Date(Date.now() + LEFT_MS), originalMaxAge: LEFT_MS };
    const left = { cookie, browser: browser.reveal(), isLeft: true } as SessionData;
    // In the place of what was there: destroyed first, the id would open nothing for a while.
    await asPromise((done) => sessionStore.set(sessionID, left, done));
  }
  sessionStore.generate(request);
  await keep(request, browser, leastMs);
}

function lifeLeftMs({ session }: Request): number {
  const { expires } = session.cookie;
  return expires === null || expires === undefined ? 0 : new Date(expires).getTime() - Date.now();
}

async function keep(request: Request, browser: BrowserValue, lifeMs: number): Promise<void> {
  request.session.browser = browser.reveal();
  request.session.cookie.maxAge = lifeMs;
  // Before the answer, so that a storage that is away is a 503 and not a cookie for nothing.
  await asPromise((done) => request.session.save(done));
}

function asPromise(run: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
