import type { CookieOptions, Request, Response } from 'express';
import { openArrival } from '../grants/trip.ts';
import { charactersOfCodes, formatUserCode, NUMERIC, normaliseUserCode } from '../grants/user-code.ts';
import { type ArrivalHeaders, type ArrivalVerdict, arrivalModeOfAll, judgeArrival } from '../safeguards/arrival.ts';
import { browserOf } from './browser-session.ts';
import { cookieOf } from './cookies.ts';
import type { EnteredPerson } from './enter-return.ts';
import type { PageAddresses } from './page-addresses.ts';
import { fieldOf, type PageKit, requestIdOf } from './page-kit.ts';
import { readTicket } from './ticket.ts';

export const CODE_FORM = 'enter code';
export const LONGEST_TYPED = 64;
const PASS = 'pass the stop page';
const LINK = 'link';
const LINK_MS = 30 * 60 * 1000;

/** What the form remembers of how it was opened; it comes back under a MAC, so nobody can talk it away. */
export interface CodeFormMemory {
  /** What the address had of a code, without separators and whatever no code has; '' where that is nothing. */
  prefilled: string;
  /** The person came by a link from another site, and went on past the stop page. */
  followedLink: boolean;
}

export function readMemory(memory: string): CodeFormMemory {
  return { prefilled: memory.replace('>', ''), followedLink: memory.startsWith('>') };
}

function writeMemory({ prefilled, followedLink }: CodeFormMemory): string {
  return (followedLink ? '>' : '') + prefilled;
}

/**
 * Whether the address gave so much of the code away that the form did not have to be filled in from a device: half of it
 * at one end. A link to a code that lacks one character would otherwise spare its victim the rest.
 */
export function isCodeOfAddress({ prefilled }: CodeFormMemory, code: string): boolean {
  const half = Math.ceil(code.length / 2);
  return prefilled.includes(code.slice(0, half)) || prefilled.includes(code.slice(-half));
}

/** GET `/device`: `?user_code=` only fills in the form; a person still acts (RFC 8628 §3.3.1). */
export async function showCodeForm(kit: PageKit, request: Request, response: Response): Promise<void> {
  const { ground, forms, addresses } = kit;
  const written = fieldOf(request.query, 'ticket');
  const entered = await enteredTicket(kit, request, written);
  if (entered !== undefined) {
    const { typed: code, memory } = entered;
    return renderCodeForm(kit, request, response, { status: 200, code, memory, ticket: written });
  }
  const pass = fieldOf(request.query, 'pass');
  const passed = pass === undefined ? undefined : forms.readVisitorToken(forms.visitor(request, response), PASS, pass);
  if (passed !== undefined) {
    const memory = writeMemory({ prefilled: '', followedLink: passed === 'cross_site' });
    return renderCodeForm(kit, request, response, { status: 200, code: '', memory });
  }

  const { verdict, arrival, from } = arrivalHere(kit, request);
  if (arrival === 'typed') forgetLink(kit, request, response);
  if (verdict === 'stop' || verdict === 'stop_with_continue') {
    const token = forms.visitorToken(forms.visitor(request, response), PASS, arrival);
    rememberLink(kit, response);
    ground.log.event('link.followed', {
      requestId: requestIdOf(response),
      source: ground.sourceOf(request),
      detail: from,
    });
    const page = kit.views.stop(kit.frame(request, response, addresses.to('/device')), {
      from: arrival === 'cross_site' ? from : undefined,
      isForeign: arrival === 'cross_site',
      onward: verdict === 'stop' ? undefined : addresses.to('/device', { pass: token }),
    });
    response.type('html').send(page);
    return;
  }
  // With a pass that does not count the person still was at the stop page: only there the address is made.
  const followedLink = pass !== undefined;
  const inAddress = verdict === 'go' && !followedLink ? fieldOf(request.query, 'user_code') : undefined;
  const typed = inAddress?.slice(0, LONGEST_TYPED) ?? '';
  const prefilled = charactersOfCodes(typed, ground.grants.userCodes);
  const memory = writeMemory({ prefilled, followedLink });
  renderCodeForm(kit, request, response, { status: 200, code: typed, memory });
}

/**
 * A browser that was stopped is remembered for a while: whatever leads from our own pages back to the form (the language
 * switch, a problem page) would otherwise be a way past the stop page. An address that is typed ends it.
 */
function rememberLink({ addresses }: PageKit, response: Response): void {
  response.cookie(addresses.cookieName(LINK), '1', { ...linkCookie(addresses), maxAge: LINK_MS });
}

/**
 * A problem page that a link led to leads to the form as well. Who is under way to or from an upstream, and comes from
 * there, followed no link: that is who has a browser session, or comes to the callback.
 */
export function rememberLinkToProblem(kit: PageKit, request: Request, response: Response): void {
  // A path that is none never got as far as its session.
  const isUnderWay = request.session !== undefined && browserOf(request) !== undefined;
  if (isUnderWay || request.path.startsWith('/callback/')) return;
  const { verdict } = arrivalHere(kit, request);
  if (verdict === 'stop' || verdict === 'stop_with_continue') rememberLink(kit, response);
}

function arrivalHere(kit: PageKit, request: Request): ArrivalVerdict {
  const { clients, publicUrl } = kit.ground;
  return judgeArrival(arrivalModeOfAll([...clients.values()]), headersSeen(kit, request), publicUrl.href);
}

function forgetLink({ addresses }: PageKit, request: Request, response: Response): void {
  const name = addresses.cookieName(LINK);
  if (cookieOf(request, name) !== undefined) response.clearCookie(name, linkCookie(addresses));
}

function linkCookie({ isSecure }: PageAddresses): CookieOptions {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure };
}

function headersSeen({ addresses }: PageKit, { headers }: Request): ArrivalHeaders {
  const site = headers['sec-fetch-site'];
  const isFromOwnSite = site === 'same-origin' || site === 'same-site';
  const isLinked = isFromOwnSite && cookieOf({ headers }, addresses.cookieName(LINK)) === '1';
  return isLinked ? { ...headers, 'sec-fetch-site': 'cross-site' } : headers;
}

export interface ShownCodeForm {
  status: number;
  code: string;
  memory: string;
  /** Says who types, where somebody signed in first. */
  ticket?: string | undefined;
  problem?: 'wrong';
}

export function renderCodeForm(kit: PageKit, request: Request, response: Response, shown: ShownCodeForm): void {
  const { addresses, codeScript, forms, ground, views } = kit;
  const { status, code: typed, memory, ticket, problem } = shown;
  const { userCodes } = ground.grants;
  const normalised = problem === undefined ? normaliseUserCode(typed, userCodes) : undefined;
  const code = normalised === undefined ? typed.slice(0, LONGEST_TYPED) : formatUserCode(normalised, userCodes.group);
  const frame = kit.frame(request, response, request.method === 'GET' ? undefined : addresses.to('/device'));
  const token = forms.visitorToken(forms.visitor(request, response), CODE_FORM, memory);
  const { prefilled } = readMemory(memory);
  const page = views.enterCode(frame, {
    action: addresses.to('/device'),
    fields: { token, ...(ticket !== undefined && { ticket }) },
    code,
    isPrefilled: prefilled !== '' && prefilled === normalised,
    isNumeric: userCodes.alphabet === NUMERIC,
    group: userCodes.group,
    script: addresses.to(codeScript.path),
    problem,
  });
  allowScript(response, addresses.origin + addresses.to(codeScript.path));
  response.status(status).type('html').send(page);
}

/** Opens the Content-Security-Policy for one address, not for all that somebody may have put on this origin. */
function allowScript(response: Response, address: string): void {
  const policy = response.getHeader('Content-Security-Policy');
  // A policy has no form for IPv6 addresses, and ends sources at commas and semicolons.
  const source = /^https?:\/\/[\w.-]+(:\d+)?\/[^,;]*$/.test(address) ? address : "'self'";
  response.set('Content-Security-Policy', `${String(policy)};script-src ${source}`);
}

/** Who signed in to type a code, where this browser's ticket names such a sign-in. */
export async function enteredPerson(
  kit: PageKit,
  request: Request,
  written: string | undefined,
): Promise<EnteredPerson | undefined> {
  const ticket = await enteredTicket(kit, request, written);
  const browser = browserOf(request);
  if (ticket === undefined || browser === undefined) return undefined;
  return (await openArrival(kit.ground.grants, browser, ticket.arrival)) as EnteredPerson | undefined;
}

async function enteredTicket(kit: PageKit, request: Request, written: string | undefined) {
  const browser = browserOf(request);
  return browser === undefined ? undefined : readTicket(kit.ground.grants.sealing, browser, 'entered', written);
}
