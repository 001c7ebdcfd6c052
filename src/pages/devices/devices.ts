/**
 * My devices: what acts as this person, its name, and its end. A sign-in for it approves nothing. What a session is, is in
 * `device-sessions/`.
 */

import type { Request, Response } from 'express';
import type { SessionsDeps } from '../../device-sessions/active-session.ts';
import { type ListedSession, listSessions } from '../../device-sessions/list-sessions.ts';
import { type BrowserValue, openArrival, TRIP_MS } from '../../grants/decide/trip.ts';
import { isMarkedEnded } from '../../grants/revocation-marks.ts';
import { MAX_LINE } from '../../grants/start/visible-line.ts';
import { logTag } from '../../telemetry/logger.ts';
import { upstreamName } from '../confirm/confirm-session.ts';
import { browserOf, newBrowserValue, renewBrowserSession } from '../frame/browser-session.ts';
import { cookieOf } from '../frame/page-addresses.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import type { HiddenFields } from '../frame/views.ts';
import { countSignIn, startSignIn } from '../sign-in/start-sign-in.ts';
import { readTicket } from '../sign-in/ticket.ts';
import type { SessionsLocals } from './devices-locals.ts';
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
  // A trip begins where a person wants it to: not by another site's link, nor for who only asks what is here.
  if (chosen !== undefined && request.method === 'GET' && !context.links.isFollowed(request)) {
    return goToSignIn(context, request, response, chosen);
  }
  const managing = await managingOf(context, request, cookieOf(request, context.addresses.cookieName(MANAGE_COOKIE)));
  if (managing === undefined) return showWays(context, request, response);
  // Most likely back from the upstream, which is another site; a link that leads here meanwhile leads to no code form.
  context.links.noteOwnAddress(response);
  await renderSessions(context, request, response, managing, {});
}

export async function renderSessions(
  context: PageContext,
  request: Request,
  response: Response,
  managing: Managing,
  wrong: { session?: string },
): Promise<void> {
  const { manager, ticket } = managing;
  const { ledger } = context.deps.grants;
  const nowMs = await ledger.now();
  const listed = await listSessions(sessionsDeps(context), manager);
  const frame = context.frame(request, response, context.addresses.to('/sessions'));
  const page = context.views.sessions(frame, {
    account: manager.account,
    upstream: upstreamName(context, manager.upstream),
    renameAction: context.addresses.to('/sessions/rename'),
    endAction: context.addresses.to('/sessions/end'),
    longestName: MAX_LINE,
    sessions: listed.map((one) => ({
      ...described(context, one, nowMs, frame.language),
      fields: fieldsFor(context, managing, one),
    })),
    endAll: listed.some(({ ended }) => ended === undefined)
      ? { all: 'true', ticket, token: manageToken(context, managing, 'all') }
      : undefined,
    wrongName: wrong.session,
  });
  response
    .status(wrong.session === undefined ? 200 : 400)
    .type('html')
    .send(page);
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

function showWays(context: PageContext, request: Request, response: Response): void {
  const upstreams = [...context.deps.upstreams.values()];
  const page = context.views.signIn(context.frame(request, response, context.addresses.to('/sessions')), {
    purpose: 'manage',
    client: '',
    code: '',
    worksUntil: undefined,
    timesScript: undefined,
    isRunningOut: false,
    goesOn: upstreams.length === 1 && !context.links.isFollowed(request),
    upstreams: upstreams.map(({ id, displayName }) => ({
      name: displayName,
      address: context.addresses.to('/sessions', { upstream: id }),
    })),
  });
  response.type('html').send(page);
}

async function goToSignIn(context: PageContext, request: Request, response: Response, chosen: string): Promise<void> {
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
    trip: { purpose: 'manage' },
    demands: {},
    again: addresses.to('/sessions'),
    logged: {},
  });
}

function described(
  context: PageContext,
  { session, name, lastUsedAtMs, ended }: ListedSession,
  nowMs: number,
  language: { ago(ms: number): string; date(atMs: number): string },
): Omit<SessionsLocals['sessions'][number], 'fields'> {
  return {
    id: session.id,
    client: context.deps.clients.get(session.clientId)?.name ?? session.clientId,
    name,
    deviceLabel: session.deviceLabel,
    source: session.source,
    started: language.date(session.startedAtMs),
    lastUsed: language.ago(nowMs - lastUsedAtMs),
    ends: language.date(session.endsAtMs),
    scopes: session.scopes,
    isEnded: ended !== undefined,
  };
}

function fieldsFor(context: PageContext, managing: Managing, { session }: ListedSession): HiddenFields {
  const { ticket } = managing;
  return { session: session.id, ticket, token: manageToken(context, managing, session.id) };
}

function manageToken(context: PageContext, managing: Managing, what: string): string {
  return context.forms.token(MANAGE, manageFacts(managing, what));
}
