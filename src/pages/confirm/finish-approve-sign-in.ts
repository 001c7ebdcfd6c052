import { approvedFacts, claimsLeftOut } from '../../grants/decide/approved-facts.ts';
import { neededClaims } from '../../grants/decide/client-claims.ts';
import { denyGrant } from '../../grants/decide/decide-grant.ts';
import { isUndecided, judgeApprover, stillAllowed } from '../../grants/decide/policy.ts';
import { browserTag, keepArrival, type Trip } from '../../grants/decide/trip.ts';
import { type GrantView, viewGrant } from '../../grants/view-grant.ts';
import { logTag } from '../../telemetry/logger.ts';
import type { SignIn } from '../../upstream/upstream.ts';
import { renewBrowserSession } from '../frame/browser-session.ts';
import type { PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import { noteFacts } from '../frame/request-facts.ts';
import type { ReturnedTrip } from '../sign-in/returned-trip.ts';
import { grantedOf, signInFacts } from '../sign-in/sign-in-facts.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { isRefusal, upstreamProblem } from '../sign-in/upstream-problem.ts';
import { revokeTokens } from '../sign-in/upstream-tokens.ts';
import { noteUnreadable } from './note-unreadable.ts';

/** Back from the sign-in for a grant: what it brought is kept for the confirm page. */
export async function finishApproveSignIn(context: PageContext, back: ReturnedTrip): Promise<void> {
  const { deps } = context;
  const { trip, request, upstream, response } = back;
  if (trip.grant === undefined) throw new PageProblem('bad_callback', { detail: 'trip without a grant' });
  const view = await viewGrant(deps.grants, trip.grant.id, context.forms.visitorTag(request));
  const client = view === undefined ? undefined : deps.clients.get(view.grant.clientId);
  noteFacts(response, { client: view?.grant.clientId });
  if (view === undefined || client === undefined) throw new PageProblem('ran_out');

  let signIn: SignIn;
  try {
    signIn = await back.finish(neededClaims(client, stillAllowed(client, view.grant).scopes));
  } catch (error) {
    if (isRefusal(error)) return refusedThere(context, back, view);
    const { id: grant, clientId } = view.grant;
    const source = deps.sourceOf(request);
    const logged = { requestId: requestIdOf(response), grant: logTag(grant), client: clientId, source };
    throw upstreamProblem(deps.log, error, { ...logged, upstream, again: back.again });
  }
  try {
    await arrive(context, { ...back, tripGrant: trip.grant, signedInAtMs: view.nowMs }, signIn);
  } catch (error) {
    // A problem that it found has given them back; with the storage away nobody will ever get to them.
    if (!(error instanceof PageProblem)) revokeTokens(upstream, signIn.tokens);
    throw error;
  }
}

/** Judges who came and keeps what came with them; the tokens of somebody who may not approve are revoked instead. */
async function arrive(
  context: PageContext,
  back: ReturnedTrip & { tripGrant: NonNullable<Trip['grant']>; signedInAtMs: number },
  signIn: SignIn,
): Promise<void> {
  const { deps, addresses } = context;
  const { request, response, browser, tripGrant, tag, upstream, signedInAtMs } = back;
  // Looked at again: the upstream may have taken its time.
  const view = await viewGrant(deps.grants, tripGrant.id, context.forms.visitorTag(request));
  const client = view === undefined ? undefined : deps.clients.get(view.grant.clientId);
  const requestId = requestIdOf(response);
  const logged = { requestId, grant: logTag(tripGrant.id), client: client?.id, upstream: upstream.id };
  const { subject } = signIn;
  const source = deps.sourceOf(request);
  noteFacts(response, { subject });
  deps.log.event('sign_in.finished', { ...logged, subject, source, purpose: 'approve' });
  if (view === undefined || client === undefined || view.state === 'expired') {
    revokeTokens(upstream, signIn.tokens);
    throw new PageProblem('ran_out_signed_in');
  }

  const person = { upstream: upstream.id, subject, address: source, nowMs: view.nowMs };
  const judged = await deps.safeguards.judgeArrived(client, view.grant, signIn, person);
  if (judged.campaign.isNews) {
    deps.log.event('campaign.noticed', { ...logged, source: view.grant.source, outcome: judged.campaign.verdict });
  }
  if (judged.signIn.verdict === 'too_weak') {
    revokeTokens(upstream, signIn.tokens);
    deps.log.event('sign_in.failed', {
      ...logged,
      purpose: 'approve',
      fault: 'too_weak',
      reason: judged.signIn.missing,
      source,
    });
    throw new PageProblem('upstream_too_weak', { again: back.again, words: { upstream: upstream.displayName } });
  }
  const granted = grantedOf(client, view.grant, signIn.tokens);
  for (const claim of claimsLeftOut(client, signIn, granted)) {
    deps.log.event('upstream.claim', { requestId, upstream: upstream.id, claim, detail: 'too long to be carried' });
  }
  const facts = approvedFacts(client, signIn, granted);
  const judgement = judgeApprover(client, { upstream: upstream.id, ...facts });
  const { verdict, ...why } = judgement;
  if (verdict === 'refused') deps.log.event('account.refused', { ...logged, subject, ...why, source });
  if (isUndecided(judgement)) {
    deps.log.event('account.undecided', { ...logged, subject, reason: verdict, ...why, source });
  }
  const mayApprove = verdict === 'allowed' && view.state === 'pending';
  if (!mayApprove) revokeTokens(upstream, signIn.tokens);

  const at = { upstream: upstream.id, signedInAtMs };
  const content = signInFacts(client, view, at, signIn, facts, tripGrant, mayApprove);
  const { keptUntilMs: expiresAtMs, id: grantId } = view.grant;
  await keepArrival(deps.grants, browser, { tag, grantId, content, expiresAtMs });
  await renewBrowserSession(request, browser);
  const ticket = await writeTicket(deps.grants.sealing, browser, 'confirm', { grant: grantId, arrival: tag });
  response.redirect(303, addresses.to('/device/confirm', { ticket }));
}

/** The upstream's own refusal is the one answer that denies the grant; nobody signed in for it, and the log says so. */
async function refusedThere(context: PageContext, back: ReturnedTrip, { grant }: GrantView): Promise<void> {
  const { deps, addresses } = context;
  const { request, response, browser, upstream } = back;
  const denied = await denyGrant(deps.grants, grant, 'upstream', browserTag(browser));
  const logged = { requestId: requestIdOf(response), grant: logTag(grant.id), client: grant.clientId };
  noteUnreadable(context, logged, denied);
  if (denied.outcome === 'decided') {
    deps.log.event('grant.denied', {
      ...logged,
      upstream: upstream.id,
      by: 'upstream',
      reason: 'unauthenticated',
      source: deps.sourceOf(request),
    });
  }
  await renewBrowserSession(request, browser);
  const done = { grant: grant.id, upstream: upstream.id };
  const ticket = await writeTicket(deps.grants.sealing, browser, 'done', done);
  response.redirect(303, addresses.to('/device/done', { ticket }));
}
