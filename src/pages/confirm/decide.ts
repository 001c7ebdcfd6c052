import type { Request, Response } from 'express';
import { approveGrant, type DecisionOutcome, denyGrant } from '../../grants/decide/decide-grant.ts';
import { shownResources } from '../../grants/decide/policy.ts';
import { browserTag } from '../../grants/decide/trip.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { ApprovalJudgement } from '../../safeguards/safeguards.ts';
import { answeringBrowserOf, browserOf, leaveBrowserSession } from '../frame/browser-session.ts';
import { fieldOf, type PageKit } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { revokeTokens } from '../sign-in/upstream-tokens.ts';
import { renderConfirm, renderRefused, type Said, saidThere, shownScopes, toDone } from './confirm.ts';
import { entryOf, judgeStanding, loggedOf, personOf, type Standing, standingOf } from './confirm-session.ts';
import { mayApprove } from './may-approve.ts';

/** How long the page offers to take an approval back. */
const UNDO_MS = 60 * 1000;

/** POST `/device/confirm`: approve, deny, report, or another account. The first decision stands (I3). */
export async function decide(kit: PageKit, request: Request, response: Response): Promise<void> {
  kit.forms.requireOwnOrigin(request);
  const browser = answeringBrowserOf(request);
  const ticket = fieldOf(request.body, 'ticket');
  const standing = await standingOf(kit, request, response, ticket, browser).catch(asRefusedForm);
  const said = saidThere(kit, standing);
  // The page there knows what to say: run out, decided here, decided elsewhere.
  if (standing.view.state !== 'pending') {
    // The same form again, by a second click: the first one's answer, with the new id, may have reached nobody. It may
    // not have left the old id either yet, and is about to: this one would stand before a closed door then.
    const isSecondClick = standing.view.decidedBy === browserTag(standing.browser);
    if (isSecondClick || browserOf(request) === undefined) await leave(standing);
    return toConfirm(kit, standing);
  }

  switch (fieldOf(request.body, 'decision')) {
    case 'approve':
      return approve(kit, standing, said);
    case 'deny':
      return deny(kit, standing, 'person');
    case 'report':
      return deny(kit, standing, 'report');
    case 'other_account':
      return otherAccount(kit, standing);
    default:
      throw new PageProblem('bad_request', {
        detail: 'no such decision',
        again: kit.addresses.to('/device/confirm', { ticket: standing.ticket }),
      });
  }
}

async function approve(kit: PageKit, standing: Standing, said: Said): Promise<void> {
  const { ground } = kit;
  const { request, browser, client, facts, view } = standing;
  const { grant, nowMs } = view;
  const { signIn } = facts;

  if (!(await mayApprove(kit, standing))) return renderRefused(kit, standing, 'account');
  const person = personOf(kit, standing);
  const entry = entryOf(standing);
  const shown = await ground.safeguards.judgeConfirm(client, grant, person, entry);
  // Something became suspicious since the page was shown, as a second browser does: it is shown again, with the warning.
  if (!shown.warnings.every((warning) => said.warnings.includes(warning))) return toConfirm(kit, standing);
  const scopes = shownScopes(standing);
  // Or more is allowed now: nobody approves what they have not read (I5).
  const resources = shownResources(client, grant);
  const isRead =
    scopes.every((scope) => said.scopes.includes(scope)) &&
    resources.every((resource) => said.resources.includes(resource));
  if (!isRead) return toConfirm(kit, standing);

  const form = { ...entry, confirmCode: fieldOf(request.body, 'confirm_code') ?? '', browser: browserTag(browser) };
  const judged = await ground.safeguards.judgeApproval(client, grant, person, form);
  const logged = { ...loggedOf(standing), source: person.address };
  switch (judged.verdict) {
    case 'refused':
      return renderRefused(kit, standing, judged.reason);
    case 'wrong_code':
      return renderConfirm(kit, standing, shown, { status: 400, isWrong: true });
    case 'too_many':
      ground.log.event('limit.reached', { ...logged, limit: judged.limit });
      throw tooMany(judged, kit.addresses.to('/device/confirm', { ticket: standing.ticket }));
    case 'allowed':
  }

  const { heldUntilMs, confirmationCode } = judged;
  const approval: Approval = { ...signIn, scopes, resources, approvedAtMs: nowMs, heldUntilMs, confirmationCode };
  const undoUntilMs = Math.max(nowMs + UNDO_MS, heldUntilMs ?? 0);
  const { upstream, account } = signIn;
  const done = { grant: grant.id, upstream, account, undoUntilMs, heldUntilMs, confirmationCode };
  const receipt = await writeTicket(ground.grants.sealing, browser, 'receipt', done);
  const decided = await approveGrant(ground.grants, grant, approval, browserTag(browser), receipt);
  if (decided.outcome === 'decided') {
    const signal = judged.warnings.length === 0 ? undefined : judged.warnings;
    ground.log.event('grant.approved', { ...logged, account: signIn.account, scopes, signal });
  } else if (!isOwnApproval(decided)) {
    revokeTokens(ground.upstreams.get(signIn.upstream), signIn.upstreamTokens);
  }
  await leave(standing);
  return decided.outcome === 'decided' ? toDone(kit, standing, receipt) : toConfirm(kit, standing);
}

async function deny(kit: PageKit, standing: Standing, by: 'person' | 'report'): Promise<void> {
  const { ground } = kit;
  const { request, browser, facts, view } = standing;
  const { upstream, upstreamTokens } = facts.signIn;
  const decided = await denyGrant(ground.grants, view.grant, by, browserTag(browser));
  if (decided.outcome === 'decided') {
    const source = ground.sourceOf(request);
    ground.log.event('grant.denied', {
      ...loggedOf(standing),
      by: 'person',
      reason: by === 'report' ? 'report' : undefined,
      source,
    });
    if (by === 'report') await ground.safeguards.report(view.grant, view.nowMs);
  }
  if (!isOwnApproval(decided)) revokeTokens(ground.upstreams.get(upstream), upstreamTokens);
  await leave(standing);
  return decided.outcome === 'decided' ? toDone(kit, standing) : toConfirm(kit, standing);
}

function tooMany(
  { limit, retryAfterSeconds }: ApprovalJudgement & { verdict: 'too_many' },
  again: string,
): PageProblem {
  if (limit === 'approvals_per_subject') return new PageProblem('too_many_approvals', { retryAfterSeconds });
  return new PageProblem('too_many_tries', { retryAfterSeconds, again });
}

function leave({ request, browser, view }: Standing): Promise<void> {
  return leaveBrowserSession(request, browser, view.grant.keptUntilMs - view.nowMs);
}

/** Asks the upstream to let the person choose; after a refusal, to sign in anew, since some would go straight back. */
async function otherAccount(kit: PageKit, standing: Standing): Promise<void> {
  const { facts, view, browser, response } = standing;
  const { userCode, codePrefilled, followedLink } = facts;
  const isRefused = (await judgeStanding(kit, standing)).verdict !== 'allowed';
  const ticket = await writeTicket(kit.ground.grants.sealing, browser, 'sign-in', {
    grant: view.grant.id,
    userCode,
    codePrefilled,
    followedLink,
    prompt: isRefused ? 'login' : 'select_account',
  });
  response.redirect(303, kit.addresses.to('/device/sign-in', { ticket }));
}

function toConfirm(kit: PageKit, { response, ticket }: Standing): void {
  response.redirect(303, kit.addresses.to('/device/confirm', { ticket }));
}

/** Without its browser session a form's token cannot be right. */
function asRefusedForm(error: unknown): never {
  if (!(error instanceof PageProblem) || error.kind !== 'no_session') throw error;
  throw new PageProblem('form_refused', { detail: error.detail ?? '' });
}

/** An approval from this browser stands, perhaps by the same form sent twice: its tokens are the device's now. */
function isOwnApproval(decided: DecisionOutcome): boolean {
  return decided.outcome === 'already' && decided.decision === 'approved' && decided.mine;
}
