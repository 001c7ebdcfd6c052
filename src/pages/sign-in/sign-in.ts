import type { Request, Response } from 'express';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import { getsRefreshTokens, stillAllowed } from '../../grants/decide/policy.ts';
import type { BrowserValue } from '../../grants/decide/trip.ts';
import { formatUserCode } from '../../grants/start/user-code.ts';
import { type GrantView, viewGrant } from '../../grants/view-grant.ts';
import { signInDemands } from '../../safeguards/strong-sign-in.ts';
import { logTag } from '../../telemetry/logger.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { lackingStart } from '../confirm/confirm-session.ts';
import { browserOf } from '../frame/browser-session.ts';
import { allowScript } from '../frame/page-assets.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import type { SignInChoice } from '../frame/views.ts';
import { countSignIn, startSignIn } from './start-sign-in.ts';
import { type EnterTicket, readTicket, type SignInTicket, writeTicket } from './ticket.ts';

/** A person needs about this long to sign in with a second factor and to read the confirm page. */
const RUNNING_OUT_MS = 2 * 60 * 1000;

/** GET `/device/sign-in`: where the sign-in goes, by link; with `upstream`, on to there. */
export async function signIn(context: PageContext, request: Request, response: Response): Promise<void> {
  const { sealing } = context.deps.grants;
  const browser = browserOf(request);
  const written = fieldOf(request.query, 'ticket');
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  if (written === undefined) throw new PageProblem('no_session', { detail: 'no ticket' });
  // HEAD asks what is here, and sets out to nowhere.
  const chosen = request.method === 'GET' ? fieldOf(request.query, 'upstream') : undefined;
  const way: SignInRequest = { browser, written, chosen, request, response };

  const ticket = await readTicket(sealing, browser, 'sign-in', written);
  const entering = ticket === undefined ? await readTicket(sealing, browser, 'enter', written) : undefined;
  if (ticket !== undefined || entering !== undefined) context.links.noteOwnAddress(response);
  if (ticket !== undefined) return signInForGrant(context, way, ticket);
  if (entering !== undefined) return signInToEnter(context, way, entering);
  throw new PageProblem('no_session', { detail: 'no ticket of this browser' });
}

interface SignInRequest {
  browser: BrowserValue;
  written: string;
  chosen: string | undefined;
  request: Request;
  response: Response;
}

async function signInForGrant(context: PageContext, way: SignInRequest, ticket: SignInTicket): Promise<void> {
  const { deps } = context;
  const { browser, written, chosen, request, response } = way;
  noteFacts(response, { grant: logTag(ticket.grant) });
  const view = await viewGrant(deps.grants, ticket.grant, context.forms.visitorTag(request));
  const client = view === undefined ? undefined : deps.clients.get(view.grant.clientId);
  noteFacts(response, { client: view?.grant.clientId });
  if (view === undefined || client === undefined || view.state === 'expired') throw new PageProblem('ran_out');
  if (view.state !== 'pending') {
    const done = await writeTicket(deps.grants.sealing, browser, 'done', { grant: view.grant.id, upstream: '' });
    return response.redirect(303, context.addresses.to('/device/done', { ticket: done }));
  }

  const lacking = lackingStart(client, view);
  if (lacking !== undefined) {
    throw new PageProblem('start_again', { words: { client: client.name }, detail: lacking });
  }
  const upstreams = client.upstreams.flatMap((id) => deps.upstreams.get(id) ?? []);
  if (chosen === undefined) {
    const isRunningOut = view.grant.expiresAtMs - view.nowMs < RUNNING_OUT_MS;
    const choices = linksTo(context, upstreams, written);
    if (ticket.prompt !== undefined) await Promise.all(upstreams.map((upstream, at) => sayKept(choices[at], upstream)));
    const frame = context.frame(request, response);
    const page = context.views.signIn(frame, {
      purpose: 'approve',
      client: client.name,
      clientLogo: client.logo,
      code: formatUserCode(ticket.userCode, deps.grants.userCodes.group),
      worksUntil: frame.language.clock(view.grant.expiresAtMs),
      timesScript: allowScript(context, response, context.timesScript),
      isRunningOut,
      goesOn: upstreams.length === 1 && !isRunningOut && choices[0]?.keepsAccount !== true,
      upstreams: choices,
    });
    response.type('html').send(page);
    return;
  }
  await countSignIn(context, request, response, view.grant.id);
  await startSignIn(context, response, {
    browser,
    upstream: oneOf(upstreams, chosen),
    trip: { purpose: 'approve', grant: tripGrant(ticket) },
    demands: demandsOf(client, view, ticket),
    again: context.addresses.to('/device/sign-in', { ticket: written }),
    logged: { grant: logTag(view.grant.id), client: client.id },
  });
}

/** Signs in somebody who wants to type a code while too many wrong ones are typed: it approves nothing. */
async function signInToEnter(context: PageContext, way: SignInRequest, ticket: EnterTicket): Promise<void> {
  const { browser, written, chosen, request, response } = way;
  const upstreams = [...context.deps.upstreams.values()];
  if (chosen === undefined) {
    const page = context.views.signIn(context.frame(request, response), {
      purpose: 'enter',
      client: '',
      clientLogo: undefined,
      code: '',
      worksUntil: undefined,
      timesScript: undefined,
      isRunningOut: false,
      goesOn: false,
      upstreams: linksTo(context, upstreams, written),
    });
    response.type('html').send(page);
    return;
  }
  await countSignIn(context, request, response);
  await startSignIn(context, response, {
    browser,
    upstream: oneOf(upstreams, chosen),
    trip: { purpose: 'enter', resume: JSON.stringify(ticket) },
    demands: {},
    again: context.addresses.to('/device/sign-in', { ticket: written }),
    logged: {},
  });
}

function tripGrant({ grant, userCode, codePrefilled, followedLink }: SignInTicket) {
  return { id: grant, userCode, codePrefilled, followedLink };
}

function demandsOf(client: RegisteredClient, { grant }: GrantView, { prompt }: SignInTicket) {
  const { scopes } = stillAllowed(client, grant);
  return {
    ...(client.tokens === 'relay' && { scopes }),
    wantsRefreshToken: getsRefreshTokens(client, scopes),
    ...signInDemands(client.safeguards, prompt),
  };
}

/** Says where another account cannot be asked for: the same would come back, and nobody would know why. */
async function sayKept(choice: SignInChoice | undefined, upstream: Upstream): Promise<void> {
  const { isAskedFor, signOutAt } = await upstream.otherAccount();
  if (choice !== undefined && !isAskedFor) Object.assign(choice, { keepsAccount: true, signOutAt });
}

function linksTo(context: PageContext, upstreams: readonly Upstream[], ticket: string): SignInChoice[] {
  return upstreams.map(({ id, displayName }) => ({
    name: displayName,
    address: context.addresses.to('/device/sign-in', { upstream: id, ticket }),
  }));
}

function oneOf(upstreams: readonly Upstream[], chosen: string): Upstream {
  const upstream = upstreams.find(({ id }) => id === chosen);
  if (upstream === undefined) throw new PageProblem('bad_request', { detail: 'no upstream to choose here' });
  return upstream;
}
