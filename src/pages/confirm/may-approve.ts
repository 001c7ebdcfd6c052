import { judgeApprover } from '../../grants/decide/policy.ts';
import type { PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { type ConfirmSession, judgeConfirmSession, upstreamName } from './confirm-session.ts';

/**
 * Whether this account may approve.
 *
 * @throws {PageProblem} for what another sign-in mends, or a new start
 */
export async function mayApprove(context: PageContext, confirmSession: ConfirmSession): Promise<boolean> {
  const { verdict, detail = '' } = await judgeConfirmSession(context, confirmSession);
  switch (verdict) {
    case 'allowed':
      return true;
    case 'refused':
      return false;
    case 'start_again':
      throw new PageProblem('start_again', { words: { client: confirmSession.client.name }, detail });
    case 'undecided':
      throw await claimMissing(context, confirmSession);
    case 'too_weak':
      throw await signInAgain(context, confirmSession, 'upstream_too_weak', detail);
  }
}

/** The upstream did not say what the policy needs. */
function claimMissing(context: PageContext, confirmSession: ConfirmSession): Promise<PageProblem> {
  const judged = judgeApprover(confirmSession.client, confirmSession.facts.signIn);
  if ('claim' in judged) noteFacts(confirmSession.response, { claim: judged.claim });
  const detail = 'claim' in judged ? `approvers: ${judged.verdict}: ${judged.claim}` : '';
  return signInAgain(context, confirmSession, 'upstream_claim_missing', detail);
}

async function signInAgain(
  context: PageContext,
  { browser, facts, view }: ConfirmSession,
  kind: 'upstream_claim_missing' | 'upstream_too_weak',
  detail: string,
): Promise<PageProblem> {
  const { signIn, userCode, codePrefilled, followedLink } = facts;
  const sought = { grant: view.grant.id, userCode, codePrefilled, followedLink };
  const ticket = await writeTicket(context.deps.grants.sealing, browser, 'sign-in', sought);
  return new PageProblem(kind, {
    again: context.addresses.to('/device/sign-in', { upstream: signIn.upstream, ticket }),
    words: { upstream: upstreamName(context, signIn.upstream) },
    detail,
  });
}
