import type { Request, Response } from 'express';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { denyGrant } from '../grants/decide-grant.ts';
import { type GrantView, viewGrant } from '../grants/open-grant.ts';
import { judgeApprover, stillAllowed } from '../grants/policy.ts';
import { type BrowserValue, browserTag, keepArrival, type Trip, takeTrip } from '../grants/trip.ts';
import { type SignIn, type Upstream, UpstreamError } from '../upstream/upstream.ts';
import { browserOf, renewBrowserSession } from './browser-session.ts';
import { fieldOf, type PageKit, requestIdOf } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { copiedClaimNames, signInFacts } from './sign-in-facts.ts';
import { writeTicket } from './ticket.ts';
import { upstreamProblem } from './upstream-problem.ts';

interface Return {
  browser: BrowserValue;
  trip: Trip & { grant: NonNullable<Trip['grant']> };
  /** Names the arrival. */
  tag: string;
  state: string;
  upstream: Upstream;
}

/**
 * GET `/callback/{upstream}`: back from the upstream. The one GET that may change a grant, since the upstream sends it:
 * its `access_denied` denies. An answer counts once, for the upstream, browser and grant it was started for (I7).
 */
export async function comeBack(kit: PageKit, request: Request, response: Response): Promise<void> {
  const { ground } = kit;
  const back = await returned(kit, request);
  const { browser, trip, state, upstream } = back;
  const tag = browserTag(ground.grants, browser);
  const view = await viewGrant(ground.grants, trip.grant.id, tag);
  const client = view === undefined ? undefined : ground.clients.get(view.grant.clientId);
  if (view === undefined || client === undefined) throw new PageProblem('ran_out');

  let signIn: SignIn;
  try {
    const { nonce, codeVerifier, scopes, prompt, maxAgeSeconds, acrValues } = trip;
    const demanded = { scopes, prompt, maxAgeSeconds, acrValues, wantedClaims: copiedClaimNames(client) };
    const redirectUri = kit.addresses.callback(upstream.id);
    const callback = new URL(redirectUri);
    callback.search = new URL(request.url, redirectUri).search;
    signIn = await upstream.finishSignIn(callback, { redirectUri, state, nonce, codeVerifier, ...demanded });
  } catch (error) {
    if (error instanceof UpstreamError && error.fault === 'access_denied') {
      return refusedThere(kit, request, response, back, view);
    }
    const again = await againAddress(kit, back);
    const { id: grant, clientId } = view.grant;
    throw upstreamProblem(ground.log, error, {
      upstream,
      again,
      requestId: requestIdOf(response),
      grant,
      client: clientId,
    });
  }
  await arrive(kit, request, response, back, client, signIn);
}

/** Everything about the answer that can be judged before the upstream is asked. */
async function returned(kit: PageKit, request: Request): Promise<Return> {
  const { ground } = kit;
  const upstream = ground.upstreams.get(String(request.params['upstream']));
  if (upstream === undefined) throw new PageProblem('not_found');
  const state = fieldOf(request.query, 'state');
  const isAnswer = fieldOf(request.query, 'code') !== undefined || fieldOf(request.query, 'error') !== undefined;
  if (state === undefined || !isAnswer) throw new PageProblem('bad_callback', { detail: 'no state, or no answer' });
  // RFC 9207 §2.4: an answer of another issuer is never followed up, and takes nothing from the one that is awaited.
  const issuer = fieldOf(request.query, 'iss');
  if (issuer !== undefined && issuer !== upstream.issuer)
    throw new PageProblem('bad_callback', { detail: 'another iss' });

  const browser = browserOf(request);
  if (browser === undefined) throw new PageProblem('other_browser', { detail: 'no browser session' });
  const taken = await takeTrip(ground.grants, browser, state);
  if (taken.outcome === 'other_browser') throw new PageProblem('other_browser', { detail: 'trip of another browser' });
  if (taken.outcome === 'gone') throw new PageProblem('sign_in_used', { detail: 'unknown or used state' });
  const { trip, tag } = taken;
  if (trip.upstream !== upstream.id) throw new PageProblem('bad_callback', { detail: 'trip to another upstream' });
  const { grant } = trip;
  if (trip.purpose !== 'approve' || grant === undefined)
    throw new PageProblem('bad_callback', { detail: trip.purpose });
  return { browser, trip: { ...trip, grant }, tag, state, upstream };
}

/** Keeps what came back for the confirm page; a refused account's tokens are revoked instead. */
async function arrive(
  kit: PageKit,
  request: Request,
  response: Response,
  { browser, trip, tag, upstream }: Return,
  client: RegisteredClient,
  signIn: SignIn,
): Promise<void> {
  const { ground, addresses } = kit;
  const { subject, groups, tokens } = signIn;
  // Looked at again: the sign-in's answer may have taken its time.
  const view = await viewGrant(ground.grants, trip.grant.id, browserTag(ground.grants, browser));
  const logged = { requestId: requestIdOf(response), client: client.id, grant: trip.grant.id, upstream: upstream.id };
  const source = ground.sourceOf(request);
  ground.log.event('sign_in.finished', { ...logged, subject, source, purpose: trip.purpose });
  if (view === undefined || view.state !== 'pending') revokeTokens(upstream, tokens);
  if (view === undefined || view.state === 'expired') throw new PageProblem('ran_out_signed_in');

  const { verdict, ...judged } = judgeApprover(client, { upstream: upstream.id, subject, groups });
  if (verdict === 'refused') ground.log.event('account.refused', { ...logged, subject, ...judged });
  if (verdict !== 'allowed') revokeTokens(upstream, tokens);

  const { userCode, codePrefilled } = trip.grant;
  const { scopes } = stillAllowed(client, view.grant);
  const facts = signInFacts(client, upstream.id, signIn, { userCode, codePrefilled }, scopes, view.nowMs);
  const content = verdict === 'allowed' ? facts : { ...facts, signIn: { ...facts.signIn, upstreamTokens: undefined } };
  await keepArrival(ground.grants, browser, {
    tag,
    grantId: view.grant.id,
    content,
    expiresAtMs: view.grant.keptUntilMs,
  });
  await renewBrowserSession(request, browser);
  const ticket = await writeTicket(ground.grants.sealing, browser, 'grant', { grant: view.grant.id, arrival: tag });
  response.redirect(303, addresses.to('/device/confirm', { ticket }));
}

/** The upstream's own refusal is the one answer that denies the grant; nobody signed in for it, and the log says so. */
async function refusedThere(
  kit: PageKit,
  request: Request,
  response: Response,
  { browser, upstream }: Return,
  { grant }: GrantView,
): Promise<void> {
  const { ground, addresses } = kit;
  const denied = await denyGrant(ground.grants, grant, 'upstream', browserTag(ground.grants, browser));
  if (denied.outcome === 'decided') {
    ground.log.event('grant.denied', {
      requestId: requestIdOf(response),
      grant: grant.id,
      client: grant.clientId,
      upstream: upstream.id,
      by: 'upstream',
      reason: 'unauthenticated',
      source: ground.sourceOf(request),
    });
  }
  await renewBrowserSession(request, browser);
  const ticket = await writeTicket(ground.grants.sealing, browser, 'grant', { grant: grant.id, upstream: upstream.id });
  response.redirect(303, addresses.to('/device/done', { ticket }));
}

async function againAddress({ ground, addresses }: PageKit, { browser, trip, upstream }: Return): Promise<string> {
  const { id: grant, userCode, codePrefilled } = trip.grant;
  const ticket = await writeTicket(ground.grants.sealing, browser, 'sign-in', { grant, userCode, codePrefilled });
  return addresses.to('/device/sign-in', { upstream: upstream.id, ticket });
}
