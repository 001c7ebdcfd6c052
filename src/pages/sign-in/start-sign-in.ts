import type { Request, Response } from 'express';
import { type BrowserValue, beginTrip, type Trip } from '../../grants/decide/trip.ts';
import type { TripParameters, Upstream } from '../../upstream/upstream.ts';
import type { PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import { factsOf, noteFacts } from '../frame/request-facts.ts';
import { upstreamProblem } from './upstream-problem.ts';

export interface SignInStart {
  browser: BrowserValue;
  upstream: Upstream;
  trip: Pick<Trip, 'purpose' | 'grant' | 'resume'>;
  demands: Pick<TripParameters, 'scopes' | 'wantsRefreshToken' | 'prompt' | 'maxAgeSeconds' | 'acrValues'>;
  /** Where the person may try again. */
  again: string;
  logged: { grant?: string; client?: string };
}

const RANDOM_BYTES = 32;

/**
 * Begins a trip and sends the browser on: by a redirect of a GET, never of a POST, whose whole way `form-action` binds.
 * Gatehouse has no sign-in of its own that could stand in for the trip.
 */
export async function startSignIn(context: PageContext, response: Response, out: SignInStart): Promise<void> {
  const { deps, addresses } = context;
  const { browser, upstream, trip, demands, again } = out;
  const { randomBytes } = deps.grants;
  noteFacts(response, { upstream: upstream.id });
  const nonce = randomBytes(RANDOM_BYTES).toString('base64url');
  const codeVerifier = randomBytes(RANDOM_BYTES).toString('base64url');
  const { scopes, prompt, maxAgeSeconds, acrValues } = demands;
  const state = await beginTrip(deps.grants, browser, {
    ...trip,
    upstream: upstream.id,
    nonce,
    codeVerifier,
    scopes,
    prompt,
    maxAgeSeconds,
    acrValues,
  });
  const logged = { requestId: requestIdOf(response), ...out.logged, source: deps.sourceOf(response.req) };
  try {
    const redirectUri = addresses.callback(upstream.id);
    const address = await upstream.signInAddress({ redirectUri, state, nonce, codeVerifier, ...demands });
    deps.log.event('sign_in.started', { ...logged, upstream: upstream.id, purpose: trip.purpose });
    response.redirect(303, address.href);
  } catch (error) {
    throw upstreamProblem(deps.log, error, { ...logged, purpose: trip.purpose, upstream, again });
  }
}

/**
 * To be asked before anything is kept for a sign-in: a browser session, a trip.
 *
 * @param grantId what it is for; without a grant the source answers for it
 * @throws {PageProblem} where too many were begun
 */
export async function countSignIn(
  { deps }: PageContext,
  request: Request,
  response: Response,
  grantId?: string,
): Promise<void> {
  const source = deps.sourceOf(request);
  const nowMs = await deps.grants.ledger.now();
  const counted = await deps.signInLimits.mayBegin({ grantId, source, nowMs });
  if (counted.verdict === 'allowed') return;
  const { limit, retryAfterSeconds } = counted;
  deps.log.event('limit.reached', { requestId: requestIdOf(response), ...factsOf(response), limit, source });
  throw new PageProblem('too_many_sign_ins', { retryAfterSeconds });
}
