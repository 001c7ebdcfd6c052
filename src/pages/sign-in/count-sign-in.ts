import type { Request, Response } from 'express';
import { type PageContext, requestIdOf } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { factsOf } from '../frame/request-facts.ts';

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
