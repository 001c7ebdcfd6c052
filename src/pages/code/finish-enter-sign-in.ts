import { keepArrival, VISIT_MS } from '../../grants/decide/trip.ts';
import { renewBrowserSession } from '../frame/browser-session.ts';
import type { PageContext } from '../frame/page-context.ts';
import { requestIdOf } from '../frame/reference.ts';
import type { ReturnedTrip } from '../sign-in/returned-trip.ts';
import { type EnterTicket, writeTicket } from '../sign-in/ticket.ts';
import { upstreamProblem } from '../sign-in/upstream-problem.ts';
import { revokeTokens } from '../sign-in/upstream-tokens.ts';

/** The person who types the next code, as the arrival of an `enter` trip keeps it. */
export interface EnteredPerson {
  upstream: string;
  subject: string;
}

/** Back from a sign-in that only says who types: on to the form, with what was typed before. */
export async function finishEnterSignIn(context: PageContext, back: ReturnedTrip): Promise<void> {
  const { deps } = context;
  const { ledger } = deps.grants;
  const { request, response, browser, tag, upstream } = back;
  const requestId = requestIdOf(response);
  const source = deps.sourceOf(request);
  const signIn = await back.finish().catch((error: unknown) => {
    throw upstreamProblem(deps.log, error, { upstream, again: back.again, requestId, purpose: 'enter', source });
  });
  revokeTokens(upstream, signIn.tokens);
  const { subject } = signIn;
  deps.log.event('sign_in.finished', { requestId, upstream: upstream.id, subject, purpose: 'enter', source });
  const content: EnteredPerson = { upstream: upstream.id, subject };
  await keepArrival(deps.grants, browser, { tag, content, expiresAtMs: (await ledger.now()) + VISIT_MS });
  await renewBrowserSession(request, browser, VISIT_MS);
  await toVisitedCode(context, back);
}

/** On to the form, with what was typed before. */
export async function toVisitedCode(
  { deps, addresses }: PageContext,
  { response, browser, trip, tag }: Pick<ReturnedTrip, 'response' | 'browser' | 'trip' | 'tag'>,
): Promise<void> {
  const ticket = JSON.parse(trip.resume ?? '{"typed":"","memory":""}') as EnterTicket;
  const written = await writeTicket(deps.grants.sealing, browser, 'entered', { ...ticket, arrival: tag });
  response.redirect(303, addresses.to('/device', { ticket: written }));
}
