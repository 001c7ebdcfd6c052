import { judgeApprover } from '../../grants/decide/policy.ts';
import type { PageKit } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { judgeStanding, type Standing, upstreamName } from './confirm-session.ts';

/**
 * Whether this account may approve.
 *
 * @throws {PageProblem} for what another sign-in mends, or a new start
 */
export async function mayApprove(kit: PageKit, standing: Standing): Promise<boolean> {
  const { verdict, detail = '' } = await judgeStanding(kit, standing);
  switch (verdict) {
    case 'allowed':
      return true;
    case 'refused':
      return false;
    case 'start_again':
      throw new PageProblem('start_again', { words: { client: standing.client.name }, detail });
    case 'undecided':
      throw await claimMissing(kit, standing);
    case 'too_weak':
      throw await signInAgain(kit, standing, 'upstream_too_weak', detail);
  }
}

/** The upstream did not say what the policy needs. */
function claimMissing(kit: PageKit, standing: Standing): Promise<PageProblem> {
  const judged = judgeApprover(standing.client, standing.facts.signIn);
  if ('claim' in judged) noteFacts(standing.response, { claim: judged.claim });
  const detail = 'claim' in judged ? `approvers: ${judged.verdict}: ${judged.claim}` : '';
  return signInAgain(kit, standing, 'upstream_claim_missing', detail);
}

async function signInAgain(
  kit: PageKit,
  { browser, facts, view }: Standing,
  kind: 'upstream_claim_missing' | 'upstream_too_weak',
  detail: string,
): Promise<PageProblem> {
  const { signIn, userCode, codePrefilled, followedLink } = facts;
  const sought = { grant: view.grant.id, userCode, codePrefilled, followedLink };
  const ticket = await writeTicket(kit.ground.grants.sealing, browser, 'sign-in', sought);
  return new PageProblem(kind, {
    again: kit.addresses.to('/device/sign-in', { upstream: signIn.upstream, ticket }),
    words: { upstream: upstreamName(kit, signIn.upstream) },
    detail,
  });
}
