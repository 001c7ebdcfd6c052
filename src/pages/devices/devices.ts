import type { Request, Response } from 'express';
import type { SessionsGround } from '../../device-sessions/active-session.ts';
import { type ListedSession, listSessions } from '../../device-sessions/list-sessions.ts';
import { type BrowserValue, openArrival, TRIP_MS } from '../../grants/decide/trip.ts';
import { isMarkedEnded } from '../../grants/revocation-marks.ts';
import { LONGEST_LINE } from '../../grants/start/visible-line.ts';
import { logTag } from '../../telemetry/log-tag.ts';
import { upstreamName } from '../confirm/confirm-session.ts';
import { browserOf, newBrowserValue, renewBrowserSession } from '../frame/browser-session.ts';
import { cookieOf } from '../frame/cookies.ts';
import { fieldOf, type PageKit } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import type { HiddenFields, SessionsLocals } from '../frame/views.ts';
import { countSignIn } from '../sign-in/count-sign-in.ts';
import { setOut } from '../sign-in/start-sign-in.ts';
import { readTicket } from '../sign-in/ticket.ts';
import { type DeviceManager, MANAGE_COOKIE } from './finish-manage-sign-in.ts';

/** A person who signed in to manage their devices, within the last ten minutes, in this browser. */
export interface Managing {
  browser: BrowserValue;
  /** The ticket as it is written in forms: another tab may have signed in as somebody else since. */
  ticket: string;
  manager: DeviceManager;
}

/** GET `/sessions`: my devices; for who has not signed in for it, the way there. */
export async function showSessions(kit: PageKit, request: Request, response: Response): Promise<void> {
  const chosen = fieldOf(request.query, 'upstream');
  // A trip begins where a person wants it to: not by another site's link, nor for who only asks what is here.
  if (chosen !== undefined && request.method === 'GET' && !kit.links.isFollowed(request)) {
    return goToSignIn(kit, request, response, chosen);
  }
  const managing = await managingOf(kit, request, cookieOf(request, kit.addresses.cookieName(MANAGE_COOKIE)));
  if (managing === undefined) return showWays(kit, request, response);
  // Most likely back from the upstream, which is another site; a link that leads here meanwhile leads to no code form.
  kit.links.noteOwnAddress(response);
  await renderSessions(kit, request, response, managing, {});
}

export async function renderSessions(
  kit: PageKit,
  request: Request,
  response: Response,
  managing: Managing,
  wrong: { session?: string },
): Promise<void> {
  const { manager, ticket } = managing;
  const { ledger } = kit.ground.grants;
  const nowMs = await ledger.now();
  const listed = await listSessions(sessionsGround(kit), manager);
  const frame = kit.frame(request, response, kit.addresses.to('/sessions'));
  const page = kit.views.sessions(frame, {
    account: manager.account,
    upstream: upstreamName(kit, manager.upstream),
    renameAction: kit.addresses.to('/sessions/rename'),
    endAction: kit.addresses.to('/sessions/end'),
    longestName: LONGEST_LINE,
    sessions: listed.map((one) => ({
      ...described(kit, one, nowMs, frame.language),
      fields: fieldsFor(kit, managing, one),
    })),
    endAll: listed.some(({ ended }) => ended === undefined)
      ? { all: 'true', ticket, token: manageToken(kit, managing, 'all') }
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
  kit: PageKit,
  request: Request,
  written: string | undefined,
): Promise<Managing | undefined> {
  const { grants, upstreams } = kit.ground;
  const browser = browserOf(request);
  if (browser === undefined || written === undefined) return undefined;
  const ticket = await readTicket(grants.sealing, browser, 'manage', written);
  if (ticket === undefined) return undefined;
  const manager = (await openArrival(grants, browser, ticket.arrival)) as DeviceManager | undefined;
  if (request.res !== undefined) noteFacts(request.res, { upstream: manager?.upstream, subject: manager?.subject });
  if (manager === undefined || !upstreams.has(manager.upstream)) return undefined;
  return (await hasEnded(kit, request, manager)) ? undefined : { browser, ticket: written, manager };
}

/** A logout at the upstream or the kill switch ends what the person may do here, as it ends their devices. */
function hasEnded({ ground }: PageKit, request: Request, manager: DeviceManager): Promise<boolean> {
  const sourcePrefixes = ground.sourcePrefixes(ground.sourceOf(request));
  return isMarkedEnded(ground.grants, { ...manager, sourcePrefixes, endsOnLogout: true });
}

/** @param what a session's id, or `all` */
export function manageFacts({ browser, manager }: Managing, what: string): string[] {
  return [browser.reveal(), manager.upstream, manager.subject, what];
}

export const MANAGE = 'manage';

export function sessionsGround({ ground }: PageKit): SessionsGround {
  const { grants, clients, sourcePrefixes, log } = ground;
  return {
    ...grants,
    clients,
    sourcePrefixes,
    onUnreadable: (id, error) => log.event('storage.rejected', { grant: logTag(id), detail: error.message }),
  };
}

function showWays(kit: PageKit, request: Request, response: Response): void {
  const upstreams = [...kit.ground.upstreams.values()];
  const page = kit.views.signIn(kit.frame(request, response, kit.addresses.to('/sessions')), {
    purpose: 'manage',
    client: '',
    code: '',
    isRunningOut: false,
    goesOn: upstreams.length === 1 && !kit.links.isFollowed(request),
    upstreams: upstreams.map(({ id, displayName }) => ({
      name: displayName,
      address: kit.addresses.to('/sessions', { upstream: id }),
    })),
  });
  response.type('html').send(page);
}

async function goToSignIn(kit: PageKit, request: Request, response: Response, chosen: string): Promise<void> {
  const { ground, addresses } = kit;
  const upstream = ground.upstreams.get(chosen);
  if (upstream === undefined) throw new PageProblem('bad_request', { detail: 'no such upstream' });
  await countSignIn(kit, request, response);
  const known = browserOf(request);
  const browser = known ?? newBrowserValue(ground.grants.randomBytes);
  if (known === undefined) await renewBrowserSession(request, browser, TRIP_MS);
  await setOut(kit, response, {
    browser,
    upstream,
    trip: { purpose: 'manage' },
    demands: {},
    again: addresses.to('/sessions'),
    logged: {},
  });
}

function described(
  kit: PageKit,
  { session, name, lastUsedAtMs, ended }: ListedSession,
  nowMs: number,
  language: { ago(ms: number): string; date(atMs: number): string },
): Omit<SessionsLocals['sessions'][number], 'fields'> {
  return {
    id: session.id,
    client: kit.ground.clients.get(session.clientId)?.name ?? session.clientId,
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

function fieldsFor(kit: PageKit, managing: Managing, { session }: ListedSession): HiddenFields {
  const { ticket } = managing;
  return { session: session.id, ticket, token: manageToken(kit, managing, session.id) };
}

function manageToken(kit: PageKit, managing: Managing, what: string): string {
  return kit.forms.token(MANAGE, manageFacts(managing, what));
}
