import type { Request, Response } from 'express';
import { approveGrant, type DecisionOutcome, denyGrant } from '../../grants/decide/decide-grant.ts';
import { shownResources } from '../../grants/decide/policy.ts';
import { browserTag } from '../../grants/decide/trip.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { ApprovalJudgement } from '../../safeguards/safeguards.ts';
import { answeringBrowserOf, browserOf, leaveBrowserSession } from '../frame/browser-session.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { revokeTokens } from '../sign-in/upstream-tokens.ts';
import { renderConfirm, renderRefused, type Said, saidThere, shownScopes, toDone } from './confirm.ts';
import {
  type ConfirmSession,
  entryOf,
  judgeConfirmSession,
  loggedOf,
  loggedPlaces,
  personOf,
  readConfirmSession,
} from './confirm-session.ts';
import { firstStep } from './loopback-way.ts';
import { mayApprove } from './may-approve.ts';
import { noteUnreadable } from './note-unreadable.ts';

/** How long the page offers to take an approval back. */
const UNDO_MS = 60 * 1000;

/** POST `/device/confirm`: approve, deny, report, or another account. The first decision stands (I3). */
export async function decide(context: PageContext, request: Request, response: Response): Promise<void> {
  context.forms.requireOwnOrigin(request);
  const browser = answeringBrowserOf(request);
  const ticket = fieldOf(request.body, 'ticket');
  const confirmSession = await readConfirmSession(context, request, response, ticket, browser).catch(asRefusedForm);
  const said = saidThere(context, confirmSession);
  // The page there knows what to say: run out, decided here, decided elsewhere.
  if (confirmSession.view.state !== 'pending') {
    // The same form again, by a second click: the first one's answer, with the new id, may have reached nobody. It may
    // not have left the old id either yet, and is about to: this one would stand before a closed door then.
    const isSecondClick = confirmSession.view.decidedBy === browserTag(confirmSession.browser);
    if (isSecondClick || browserOf(request) === undefined) await leave(confirmSession);
    return toConfirm(context, confirmSession);
  }

  switch (fieldOf(request.body, 'decision')) {
    case 'approve':
      return approve(context, confirmSession, said);
    case 'deny':
      return deny(context, confirmSession, 'person');
    case 'report':
      return deny(context, confirmSession, 'report');
    case 'other_account':
      return otherAccount(context, confirmSession);
    default:
      throw new PageProblem('bad_request', {
        detail: 'no such decision',
        again: context.addresses.to('/device/confirm', { ticket: confirmSession.ticket }),
      });
  }
}

async function approve(context: PageContext, confirmSession: ConfirmSession, said: Said): Promise<void> {
  const { deps } = context;
  const { request, browser, client, facts, view } = confirmSession;
  const { grant, nowMs } = view;
  const { signIn } = facts;

  if (!(await mayApprove(context, confirmSession))) return renderRefused(context, confirmSession, 'account');
  const person = personOf(context, confirmSession);
  const entry = entryOf(confirmSession);
  const shown = await deps.safeguards.judgeConfirm(client, grant, person, entry);
  // Something became suspicious since the page was shown, as a second browser does: it is shown again, with the warning.
  if (!shown.warnings.every((warning) => said.warnings.includes(warning))) return toConfirm(context, confirmSession);
  const scopes = shownScopes(confirmSession);
  // Or more is allowed now: nobody approves what they have not read (I5).
  const resources = shownResources(client, grant);
  const isRead =
    scopes.every((scope) => said.scopes.includes(scope)) &&
    resources.every((resource) => said.resources.includes(resource));
  if (!isRead) return toConfirm(context, confirmSession);

  const form = { ...entry, typedSuffix: fieldOf(request.body, 'confirm_code') ?? '', browser: browserTag(browser) };
  const judged = await deps.safeguards.judgeApproval(client, grant, person, form);
  const logged = { ...loggedOf(confirmSession), source: person.address };
  switch (judged.verdict) {
    case 'refused':
      return renderRefused(context, confirmSession, judged.reason);
    case 'wrong_code':
      return renderConfirm(context, confirmSession, shown, { status: 400, isWrong: true });
    case 'too_many':
      deps.log.event('limit.reached', { ...logged, limit: judged.limit });
      throw tooMany(judged, context.addresses.to('/device/confirm', { ticket: confirmSession.ticket }));
    case 'allowed':
  }

  const { heldUntilMs, reverseCode: confirmationCode, proof: confirmationProof } = judged;
  const approval: Approval = {
    ...signIn,
    scopes,
    resources,
    approvedAtMs: nowMs,
    heldUntilMs,
    confirmationCode,
    confirmationProof,
  };
  const undoUntilMs = Math.max(nowMs + UNDO_MS, heldUntilMs ?? 0);
  const { upstream, account } = signIn;
  const done = {
    ...{ grant: grant.id, upstream, account },
    ...{ undoUntilMs, heldUntilMs, confirmationCode, confirmationProof },
  };
  const receipt = await writeTicket(deps.grants.sealing, browser, 'receipt', done);
  const decided = await approveGrant(deps.grants, grant, approval, browserTag(browser), receipt);
  if (decided.outcome === 'decided') {
    const signal = judged.warnings.length === 0 ? undefined : judged.warnings;
    const places = loggedPlaces(context, confirmSession);
    deps.log.event('grant.approved', { ...logged, ...places, account: signIn.account, scopes, signal });
  } else if (!isOwnApproval(decided)) {
    noteUnreadable(context, logged, decided);
    revokeTokens(deps.upstreams.get(signIn.upstream), signIn.upstreamTokens);
  }
  await leave(confirmSession);
  if (decided.outcome !== 'decided') return toConfirm(context, confirmSession);
  const step = confirmationProof === undefined ? undefined : firstStep(request, shown.requester);
  return toDone(context, confirmSession, receipt, step);
}

async function deny(context: PageContext, confirmSession: ConfirmSession, by: 'person' | 'report'): Promise<void> {
  const { deps } = context;
  const { request, browser, facts, view } = confirmSession;
  const { upstream, upstreamTokens } = facts.signIn;
  const decided = await denyGrant(deps.grants, view.grant, by, browserTag(browser));
  if (decided.outcome === 'decided') {
    const source = deps.sourceOf(request);
    deps.log.event('grant.denied', {
      ...loggedOf(confirmSession),
      by: 'person',
      reason: by === 'report' ? 'report' : undefined,
      source,
      ...loggedPlaces(context, confirmSession),
    });
    if (by === 'report') await deps.safeguards.report(view.grant, view.nowMs);
  }
  noteUnreadable(context, loggedOf(confirmSession), decided);
  if (!isOwnApproval(decided)) revokeTokens(deps.upstreams.get(upstream), upstreamTokens);
  await leave(confirmSession);
  return decided.outcome === 'decided' ? toDone(context, confirmSession) : toConfirm(context, confirmSession);
}

function tooMany(
  { limit, retryAfterSeconds }: ApprovalJudgement & { verdict: 'too_many' },
  again: string,
): PageProblem {
  if (limit === 'approvals_per_subject') return new PageProblem('too_many_approvals', { retryAfterSeconds });
  return new PageProblem('too_many_tries', { retryAfterSeconds, again });
}

function leave({ request, browser, view }: ConfirmSession): Promise<void> {
  return leaveBrowserSession(request, browser, view.grant.keptUntilMs - view.nowMs);
}

/** Asks the upstream to let the person choose; after a refusal, to sign in anew, since some would go straight back. */
async function otherAccount(context: PageContext, confirmSession: ConfirmSession): Promise<void> {
  const { facts, view, browser, response } = confirmSession;
  const { userCode, codePrefilled, followedLink } = facts;
  const isRefused = (await judgeConfirmSession(context, confirmSession)).verdict !== 'allowed';
  const ticket = await writeTicket(context.deps.grants.sealing, browser, 'sign-in', {
    grant: view.grant.id,
    userCode,
    codePrefilled,
    followedLink,
    prompt: isRefused ? 'login' : 'select_account',
  });
  response.redirect(303, context.addresses.to('/device/sign-in', { ticket }));
}

function toConfirm(context: PageContext, { response, ticket }: ConfirmSession): void {
  response.redirect(303, context.addresses.to('/device/confirm', { ticket }));
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
