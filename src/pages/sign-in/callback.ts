import type { Request, Response } from 'express';
import { type BrowserValue, type Trip, takeTrip } from '../../grants/decide/trip.ts';
import { noteSid } from '../../grants/known-sids.ts';
import { longestRetentionMs } from '../../grants/retention.ts';
import { logTag } from '../../telemetry/logger.ts';
import type { NeededClaims, SignIn, Upstream } from '../../upstream/upstream.ts';
import { finishEnterSignIn } from '../code/finish-enter-sign-in.ts';
import { finishApproveSignIn } from '../confirm/finish-approve-sign-in.ts';
import { finishManageSignIn } from '../devices/finish-manage-sign-in.ts';
import { browserOf } from '../frame/browser-session.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { type RepeatedCallback, repeatCallback } from './repeated-callback.ts';
import type { ReturnedTrip } from './returned-trip.ts';
import { type EnterTicket, type SignInTicket, writeTicket } from './ticket.ts';
import { revokeTokens } from './upstream-tokens.ts';

/**
 * GET `/callback/{upstream}`: back from the upstream. The one GET that may change a grant, since the upstream sends it:
 * its `access_denied` denies. An answer counts once, for the upstream, browser and grant it was started for (I7).
 */
export async function handleCallback(context: PageContext, request: Request, response: Response): Promise<void> {
  const back = await readCallback(context, request, response);
  if ('takenAtMs' in back) return repeatCallback(context, back);
  switch (back.trip.purpose) {
    case 'approve':
      return finishApproveSignIn(context, back);
    case 'enter':
      return finishEnterSignIn(context, back);
    case 'manage':
      return finishManageSignIn(context, back);
  }
}

/** Everything about the answer that can be judged before the upstream is asked. */
async function readCallback(
  context: PageContext,
  request: Request,
  response: Response,
): Promise<ReturnedTrip | RepeatedCallback> {
  const { deps } = context;
  const upstream = deps.upstreams.get(String(request.params['upstream']));
  if (upstream === undefined) throw new PageProblem('not_found');
  noteFacts(response, { upstream: upstream.id });
  const state = fieldOf(request.query, 'state');
  const isAnswer = fieldOf(request.query, 'code') !== undefined || fieldOf(request.query, 'error') !== undefined;
  if (state === undefined || !isAnswer) throw new PageProblem('bad_callback', { detail: 'no state, or no answer' });
  // RFC 9207 §2.4: an answer of another issuer is never followed up, and takes nothing from the one that is awaited.
  const issuer = fieldOf(request.query, 'iss');
  if (issuer !== undefined && issuer !== upstream.issuer) {
    throw new PageProblem('bad_callback', { detail: 'other iss' });
  }

  const browser = browserOf(request);
  if (browser === undefined) throw new PageProblem('other_browser', { detail: 'no browser session' });
  const redirectUri = context.addresses.callback(upstream.id);
  const callback = new URL(redirectUri);
  callback.search = new URL(request.url, redirectUri).search;
  const taken = await takeTrip(deps.grants, browser, state, callback.search);
  if (taken.outcome === 'other_browser') throw new PageProblem('other_browser', { detail: 'trip of another browser' });
  if (taken.outcome === 'gone') throw new PageProblem('sign_in_used', { detail: 'unknown or used state' });
  context.links.noteOwnAddress(response);
  const { trip, tag } = taken;
  noteFacts(response, { grant: trip.grant && logTag(trip.grant.id) });
  if (trip.upstream !== upstream.id) throw new PageProblem('bad_callback', { detail: 'trip to another upstream' });
  const again = await againAddress(context, browser, trip);
  response.locals['again'] = again;
  if (taken.outcome === 'repeated') return { request, response, browser, trip, tag, again, takenAtMs: taken.takenAtMs };
  const finish = async (neededClaims?: NeededClaims) => {
    const signIn = await upstream.finishSignIn(callback, { ...trip, redirectUri, state, neededClaims });
    try {
      await noteUpstreamSession(context, upstream, signIn);
    } catch (error) {
      revokeTokens(upstream, signIn.tokens);
      throw error;
    }
    return signIn;
  };
  return { request, response, browser, trip, tag, upstream, again, finish };
}

/** For who tells us over the front channel that it has ended. */
async function noteUpstreamSession({ deps }: PageContext, { id, frontChannelLogout }: Upstream, { sid }: SignIn) {
  if (frontChannelLogout === false || sid === undefined) return;
  await noteSid(deps.grants, { upstream: id, sid }, longestRetentionMs(deps.clients.values()));
}

async function againAddress({ deps, addresses }: PageContext, browser: BrowserValue, trip: Trip): Promise<string> {
  const { sealing } = deps.grants;
  const { purpose, upstream, grant, resume = '{"typed":"","memory":""}' } = trip;
  if (purpose === 'manage') return addresses.to('/sessions');
  if (purpose === 'enter') {
    const entering = JSON.parse(resume) as EnterTicket;
    return addresses.to('/device/sign-in', { ticket: await writeTicket(sealing, browser, 'enter', entering) });
  }
  const { id = '', userCode = '', codePrefilled = false, followedLink = false } = grant ?? {};
  // A person who wanted to come as somebody else still does.
  const prompt = trip.prompt === 'login' || trip.prompt === 'select_account' ? trip.prompt : undefined;
  const sought: SignInTicket = { grant: id, userCode, codePrefilled, followedLink };
  if (prompt !== undefined) sought.prompt = prompt;
  const ticket = await writeTicket(sealing, browser, 'sign-in', sought);
  return addresses.to('/device/sign-in', { upstream, ticket });
}
