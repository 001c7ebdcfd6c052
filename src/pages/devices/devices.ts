/**
 * My devices: what acts as this person, its name, and its end. A sign-in for it approves nothing. What a session is, is in
 * `device-sessions/`.
 */

import type { Request, Response } from 'express';
import type { SessionsDeps } from '../../device-sessions/active-session.ts';
import { listSessions } from '../../device-sessions/list-sessions.ts';
import { type BrowserValue, openArrival, TRIP_MS } from '../../grants/decide/trip.ts';
import { isMarkedEnded } from '../../grants/revocation-marks.ts';
import { MAX_LINE } from '../../grants/start/visible-line.ts';
import { logTag } from '../../telemetry/logger.ts';
import { upstreamName } from '../confirm/confirm-session.ts';
import { browserOf, newBrowserValue, renewBrowserSession } from '../frame/browser-session.ts';
import type { HiddenFields } from '../frame/form-guard.ts';
import { cookieOf } from '../frame/page-addresses.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { countSignIn, startSignIn } from '../sign-in/start-sign-in.ts';
import { readTicket } from '../sign-in/ticket.ts';
import { describeDevice } from './describe-device.ts';
import type { DeviceName, SessionsLocals } from './devices-locals.ts';
import { type DeviceManager, MANAGE_COOKIE } from './finish-manage-sign-in.ts';

/** A person who signed in to manage their devices, within the last ten minutes, in this browser. */
export interface Managing {
  browser: BrowserValue;
  /** The ticket as it is written in forms: another tab may have signed in as somebody else since. */
  ticket: string;
  manager: DeviceManager;
}

/** GET `/sessions`: my devices; for who has not signed in for it, the way there. */
export async function showSessions(context: PageContext, request: Request, response: Response): Promise<void> {
  const chosen = fieldOf(request.query, 'upstream');
  const from = await doneHere(context, request);
  // A trip begins where a person wants it to: not by another site's link, nor for who only asks what is here.
  if (chosen !== undefined && request.method === 'GET' && !context.links.isFollowed(request)) {
    return goToSignIn(context, request, response, chosen, from?.grant);
  }
  const managing = await managingOf(context, request, cookieOf(request, context.addresses.cookieName(MANAGE_COOKIE)));
  if (managing === undefined) return showWays(context, request, response, from?.written);
  // Most likely back from the upstream, which is another site; a link that leads here meanwhile leads to no code form.
  context.links.noteOwnAddress(response);
  if (fieldOf(request.query, 'all') === 'ask') return askEndAll(context, request, response, managing);
  await renderSessions(context, request, response, managing, { connected: from?.grant });
}

/** What this browser decided a moment ago, where it comes from there. */
async function doneHere(context: PageContext, request: Request) {
  const written = fieldOf(request.query, 'done');
  const browser = browserOf(request);
  if (written === undefined || browser === undefined) return undefined;
  const ticket = await readTicket(context.deps.grants.sealing, browser, 'done', written);
  return ticket && { written, grant: ticket.grant };
}

export async function renderSessions(
  context: PageContext,
  request: Request,
  response: Response,
  managing: Managing,
  { wrongName, connected }: { wrongName?: string | undefined; connected?: string | undefined },
): Promise<void> {
  const { manager, ticket } = managing;
  const nowMs = await context.deps.grants.ledger.now();
  const listed = await listSessions(sessionsDeps(context), manager);
  const frame = context.frame(request, response, context.addresses.to('/sessions'));
  const isOnly = listed.filter(({ ended }) => ended === undefined).length === 1;
  const sessions = listed.map((one) => {
    const { id } = one.session;
    return {
      ...describeDevice(context, one, nowMs, frame.language),
      isNew: id === (connected ?? manager.connected),
      isOpen: isOnly || id === wrongName,
      fields: { session: id, ticket, token: manageToken(context, managing, id) },
    };
  });
  const active = sessions.filter(({ isEnded }) => !isEnded);
  const page = context.views.sessions(frame, {
    account: manager.account,
    upstream: upstreamName(context, manager.upstream),
    renameAction: context.addresses.to('/sessions/rename'),
    endAction: context.addresses.to('/sessions/end'),
    longestName: MAX_LINE,
    status: statusOf(context, request, managing, sessions),
    active,
    ended: sessions.filter(({ isEnded }) => isEnded),
    sessions,
    askEndAll: context.addresses.to('/sessions', { all: 'ask' }),
    endAll: active.length > 0 ? endAllFields(context, managing) : undefined,
    wrongName,
    connect: context.addresses.to('/device'),
  });
  response
    .status(wrongName === undefined ? 200 : 400)
    .type('html')
    .send(page);
}

/** One click too many would end all of them, and nobody gets them back. */
async function askEndAll(context: PageContext, request: Request, response: Response, managing: Managing) {
  const { manager } = managing;
  const frame = context.frame(request, response, context.addresses.to('/sessions'));
  const nowMs = await context.deps.grants.ledger.now();
  const listed = await listSessions(sessionsDeps(context), manager);
  const active = listed.filter(({ ended }) => ended === undefined);
  const page = context.views.endAll(frame, {
    account: manager.account,
    upstream: upstreamName(context, manager.upstream),
    action: context.addresses.to('/sessions/end'),
    fields: endAllFields(context, managing),
    back: context.addresses.to('/sessions'),
    devices: active.map((one) => describeDevice(context, one, nowMs, frame.language)),
  });
  response.type('html').send(page);
}

function endAllFields(context: PageContext, managing: Managing): HiddenFields {
  return { all: 'true', ticket: managing.ticket, token: manageToken(context, managing, 'all') };
}

/** What was done: in the address that the answer to a form leads to, under a MAC. Nobody else can have it said here. */
export type DoneDeed = { did: 'rename' | 'end'; session: string } | { did: 'end_all'; session: '' };

export function deedAddress(context: PageContext, managing: Managing, deed: DoneDeed): string {
  const { did, session } = deed;
  const token = manageToken(context, managing, `${did} ${session}`);
  return context.addresses.to('/sessions', { did, session, token });
}

function statusOf(
  context: PageContext,
  { query }: Request,
  managing: Managing,
  sessions: readonly (DeviceName & { id: string })[],
): SessionsLocals['status'] {
  const [did, session = '', token] = ['did', 'session', 'token'].map((name) => fieldOf(query, name));
  if (!context.forms.isToken(MANAGE, manageFacts(managing, `${did} ${session}`), token)) return undefined;
  if (did === 'end_all') return { did, device: undefined };
  const device = sessions.find(({ id }) => id === session);
  if (device === undefined) return undefined;
  return { did: did === 'end' ? 'end' : 'rename', device };
}

/** The sign-in behind a ticket, or `undefined` where there is none, or no longer. */
export async function managingOf(
  context: PageContext,
  request: Request,
  written: string | undefined,
): Promise<Managing | undefined> {
  const { grants, upstreams } = context.deps;
  const browser = browserOf(request);
  if (browser === undefined || written === undefined) return undefined;
  const ticket = await readTicket(grants.sealing, browser, 'manage', written);
  if (ticket === undefined) return undefined;
  const manager = (await openArrival(grants, browser, ticket.arrival)) as DeviceManager | undefined;
  if (request.res !== undefined) noteFacts(request.res, { upstream: manager?.upstream, subject: manager?.subject });
  if (manager === undefined || !upstreams.has(manager.upstream)) return undefined;
  return (await hasEnded(context, request, manager)) ? undefined : { browser, ticket: written, manager };
}

/** A logout at the upstream or the kill switch ends what the person may do here, as it ends their devices. */
function hasEnded({ deps }: PageContext, request: Request, manager: DeviceManager): Promise<boolean> {
  return isMarkedEnded(deps.grants, { ...manager, source: deps.sourceOf(request), endsOnLogout: true });
}

/** @param what a session's id, or `all` */
export function manageFacts({ browser, manager }: Managing, what: string): string[] {
  return [browser.reveal(), manager.upstream, manager.subject, what];
}

export const MANAGE = 'manage';

export function sessionsDeps({ deps }: PageContext): SessionsDeps {
  const { grants, clients, log } = deps;
  return {
    ...grants,
    clients,
    onUnreadable: (id, error) => log.event('storage.rejected', { grant: logTag(id), detail: error.message }),
  };
}

/** @param done the ticket of what the person comes from, for after the sign-in */
function showWays(context: PageContext, request: Request, response: Response, done: string | undefined): void {
  const upstreams = [...context.deps.upstreams.values()];
  const page = context.views.signIn(context.frame(request, response, context.addresses.to('/sessions')), {
    purpose: 'manage',
    client: '',
    clientLogo: undefined,
    code: '',
    worksUntil: undefined,
    timesScript: undefined,
    isRunningOut: false,
    goesOn: upstreams.length === 1 && !context.links.isFollowed(request),
    upstreams: upstreams.map(({ id, displayName }) => ({
      name: displayName,
      address: context.addresses.to('/sessions', { upstream: id, ...(done !== undefined && { done }) }),
    })),
  });
  response.type('html').send(page);
}

async function goToSignIn(
  context: PageContext,
  request: Request,
  response: Response,
  chosen: string,
  connected: string | undefined,
): Promise<void> {
  const { deps, addresses } = context;
  const upstream = deps.upstreams.get(chosen);
  if (upstream === undefined) throw new PageProblem('bad_request', { detail: 'no such upstream' });
  await countSignIn(context, request, response);
  const known = browserOf(request);
  const browser = known ?? newBrowserValue(deps.grants.randomBytes);
  if (known === undefined) await renewBrowserSession(request, browser, TRIP_MS);
  await startSignIn(context, response, {
    browser,
    upstream,
    trip: { purpose: 'manage', ...(connected !== undefined && { resume: connected }) },
    demands: {},
    again: addresses.to('/sessions'),
    logged: {},
  });
}

function manageToken(context: PageContext, managing: Managing, what: string): string {
  return context.forms.token(MANAGE, manageFacts(managing, what));
}
