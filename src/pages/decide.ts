import type { Request, Response } from 'express';
import type { Approval } from '../grants/approval.ts';
import { approveGrant, type DecisionOutcome, denyGrant } from '../grants/decide-grant.ts';
import { stillAllowed } from '../grants/policy.ts';
import { renewBrowserSession } from './browser-session.ts';
import {
  claimMissing,
  DECIDE,
  decisionFacts,
  isOpen,
  type OpenStanding,
  renderConfirm,
  renderRefused,
  shownScopes,
} from './confirm.ts';
import { confirmCodeOf, isConfirmed } from './confirm-code.ts';
import { fieldOf, type PageKit, requestIdOf } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { judgeStanding, standingOf } from './standing.ts';
import { writeTicket } from './ticket.ts';

interface Answer {
  request: Request;
  response: Response;
  standing: OpenStanding;
  written: string;
}

/** POST `/device/confirm`: approve, deny, report, or another account. The first decision stands (I3). */
export async function decide(kit: PageKit, request: Request, response: Response): Promise<void> {
  const { forms, addresses } = kit;
  forms.requireOwnOrigin(request);
  const written = fieldOf(request.body, 'ticket') ?? '';
  const standing = await standingOf(kit, request, written).catch((error: unknown) => {
    // Without its session a form's token cannot be right.
    if (!(error instanceof PageProblem) || error.kind !== 'no_session') throw error;
    throw new PageProblem('form_refused', { detail: error.detail ?? '' });
  });
  if (!isOpen(standing)) {
    // The confirm page and the page after it know what to say: run out, decided here, decided elsewhere.
    return response.redirect(303, addresses.to('/device/confirm', { ticket: written }));
  }
  const token = fieldOf(request.body, 'token');
  const isWarned = forms.isToken(DECIDE, decisionFacts(standing, true), token);
  if (!isWarned && !forms.isToken(DECIDE, decisionFacts(standing, false), token)) {
    throw new PageProblem('form_refused', { detail: 'token of the decision' });
  }

  const answer: Answer = { request, response, standing, written };
  switch (fieldOf(request.body, 'decision')) {
    case 'approve':
      // Entered in another browser since this page was shown: it is shown again, with the warning.
      if (standing.view.openElsewhere && !isWarned) {
        return response.redirect(303, addresses.to('/device/confirm', { ticket: written }));
      }
      return approve(kit, answer);
    case 'deny':
      return deny(kit, answer, 'person');
    case 'report':
      return deny(kit, answer, 'report');
    case 'other_account':
      return otherAccount(kit, answer);
    default:
      throw new PageProblem('bad_request', {
        detail: 'no such decision',
        again: addresses.to('/device/confirm', { ticket: written }),
      });
  }
}

async function approve(kit: PageKit, answer: Answer): Promise<void> {
  const { request, response, standing, written } = answer;
  const { ground } = kit;
  const { client, facts, view } = standing;
  const { signIn } = facts;

  const verdict = await judgeStanding(kit, client, facts, view);
  if (verdict === 'claim_missing') throw await claimMissing(kit, standing);
  if (verdict === 'refused') return renderRefused(kit, request, response, standing, written);
  const asked = confirmCodeOf(client, facts);
  if (asked !== undefined && !isConfirmed(asked, fieldOf(request.body, 'confirm_code'), ground.grants.userCodes)) {
    return renderConfirm(kit, request, response, standing, { written, status: 400, isWrong: true });
  }
  const { upstream, subject } = signIn;
  const logged = { requestId: requestIdOf(response), grant: view.grant.id, client: client.id, upstream, subject };
  const counted = { grantId: view.grant.id, upstream, subject, nowMs: view.nowMs };
  const limited = await ground.approvalLimits.mayApprove(counted);
  if (limited.verdict === 'refused') {
    ground.log.event('limit.reached', { ...logged, limit: limited.limit, source: ground.sourceOf(request) });
    throw new PageProblem('too_many_approvals', { headers: { 'Retry-After': String(limited.retryAfterSeconds) } });
  }

  const approval: Approval = {
    ...signIn,
    scopes: shownScopes(client, facts),
    resources: stillAllowed(client, view.grant).resources,
    approvedAtMs: view.nowMs,
    ...(client.safeguards.holdSeconds > 0 && { heldUntilMs: view.nowMs + client.safeguards.holdSeconds * 1000 }),
  };
  const decided = await approveGrant(ground.grants, view.grant, approval, standing.browserTag);
  if (decided.outcome === 'decided') {
    const { scopes } = approval;
    ground.log.event('grant.approved', {
      ...logged,
      account: signIn.account,
      scopes,
      source: ground.sourceOf(request),
    });
  }
  if (decided.outcome !== 'decided' && !isOwnApproval(decided)) {
    revokeTokens(ground.upstreams.get(upstream), signIn.upstreamTokens);
  }
  await showDone(kit, answer);
}

async function deny(kit: PageKit, answer: Answer, by: 'person' | 'report'): Promise<void> {
  const { request, response, standing } = answer;
  const { ground } = kit;
  const { facts, view, client } = standing;
  const { upstream, subject, upstreamTokens } = facts.signIn;
  const decided = await denyGrant(ground.grants, view.grant, by, standing.browserTag);
  if (decided.outcome === 'decided') {
    ground.log.event('grant.denied', {
      requestId: requestIdOf(response),
      grant: view.grant.id,
      client: client.id,
      upstream,
      subject,
      by: 'person',
      ...(by === 'report' && { reason: 'report' }),
      source: ground.sourceOf(request),
    });
  }
  if (!isOwnApproval(decided)) revokeTokens(ground.upstreams.get(upstream), upstreamTokens);
  await showDone(kit, answer);
}

/** Asks the upstream to let the person choose; after a refusal, to sign in anew, since some would go straight back. */
async function otherAccount(kit: PageKit, { response, standing }: Answer): Promise<void> {
  const { client, facts, view, browser } = standing;
  const verdict = await judgeStanding(kit, client, facts, view);
  const ticket = await writeTicket(kit.ground.grants.sealing, browser, 'sign-in', {
    grant: view.grant.id,
    userCode: facts.userCode,
    codePrefilled: facts.codePrefilled,
    prompt: verdict === 'refused' ? 'login' : 'select_account',
  });
  response.redirect(303, kit.addresses.to('/device/sign-in', { ticket }));
}

async function showDone(kit: PageKit, { request, response, standing, written }: Answer): Promise<void> {
  await renewBrowserSession(request, standing.browser);
  response.redirect(303, kit.addresses.to('/device/done', { ticket: written }));
}

/** An approval from this browser stands, perhaps by the same form sent twice: its tokens are the device's now. */
function isOwnApproval(decided: DecisionOutcome): boolean {
  return decided.outcome === 'already' && decided.decision === 'approved' && decided.mine;
}
