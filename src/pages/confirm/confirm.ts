/**
 * The page that shows a grant to somebody who signed in for it, and the decision. Approve, deny, report and undo are here.
 * Whether the person may approve is asked of `grants/decide/` and `safeguards/`.
 */

import type { Request, Response } from 'express';
import { judgeApprover, shownResources, type Verdict } from '../../grants/decide/policy.ts';
import { sessionLife } from '../../grants/session-life.ts';
import { formatUserCode, NUMERIC } from '../../grants/start/user-code.ts';
import { intersectScopes } from '../../oauth/scope.ts';
import type { ConfirmJudgement, Obstacle, Warning } from '../../safeguards/safeguards.ts';
import type { HiddenFields } from '../frame/form-guard.ts';
import { allowScript } from '../frame/page-assets.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { routeOf } from '../frame/page-error.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { referenceOf } from '../frame/reference.ts';
import { readTicket, writeTicket } from '../sign-in/ticket.ts';
import type { ConfirmLocals } from './confirm-locals.ts';
import {
  type ConfirmSession,
  entryOf,
  loggedOf,
  personOf,
  readConfirmSession,
  upstreamName,
} from './confirm-session.ts';
import { doneAddress, isLoopbackAsked, type LoopbackStep } from './loopback-way.ts';
import { mayApprove } from './may-approve.ts';
import { placeWords } from './place-words.ts';
import { scopeItem } from './scope-words.ts';
import { claimWordsOf, toldClaims } from './told-claims.ts';

const DECIDE = 'decide';
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** GET `/device/confirm`: who, what, which device. Nothing is counted, so that it can be reloaded. */
export async function showConfirm(context: PageContext, request: Request, response: Response): Promise<void> {
  const confirmSession = await readConfirmSession(context, request, response, fieldOf(request.query, 'ticket'));
  const { view } = confirmSession;
  if (view.state === 'expired') throw new PageProblem('ran_out_signed_in');
  if (view.state !== 'pending') return toDone(context, confirmSession);
  if (!(await mayApprove(context, confirmSession))) return renderRefused(context, confirmSession, 'account');
  const { client } = confirmSession;
  const judged = await context.deps.safeguards.judgeConfirm(
    client,
    view.grant,
    personOf(context, confirmSession),
    entryOf(confirmSession),
  );
  if (judged.obstacle !== undefined) return renderRefused(context, confirmSession, judged.obstacle);
  renderConfirm(context, confirmSession, judged, { status: 200, isWrong: false });
}

/**
 * On to what happened; the first decision stands, whoever made it. An approval of this browser is shown again as it was
 * the first time, with digits and undo.
 */
export async function toDone(
  context: PageContext,
  { browser, view, facts, response }: ConfirmSession,
  receipt = view.receipt,
  step?: LoopbackStep,
): Promise<void> {
  const { sealing } = context.deps.grants;
  const { upstream, account } = facts.signIn;
  // Another browser's does not open here.
  const received = await readTicket(sealing, browser, 'receipt', receipt);
  const done = received ?? { grant: view.grant.id, upstream, account };
  const ticket = await writeTicket(sealing, browser, 'done', done);
  response.redirect(303, doneAddress(context, ticket, step));
}

/** This person cannot approve here and now, but may deny, or come as somebody else; the grant stays pending. */
export function renderRefused(
  context: PageContext,
  confirmSession: ConfirmSession,
  obstacle: 'account' | Obstacle,
): void {
  const { client, facts, request, response } = confirmSession;
  const { log, sourceOf } = context.deps;
  const judged = judgeApprover(client, facts.signIn);
  const isByPolicy = obstacle === 'account' && judged.verdict === 'refused';
  // No other account is the way out here: an administrator has to let less be passed on.
  const reason = isByPolicy && judged.reason === 'claims_too_large' ? 'claims' : obstacle;
  const claim = isByPolicy ? claimOf(judged) : undefined;
  const detail = isByPolicy ? `approvers: ${judged.reason}` : undefined;
  const source = sourceOf(request);
  const logged = { ...loggedOf(confirmSession), claim, route: routeOf(request), status: 403 };
  log.event('page.refused', { ...logged, reason, detail, source });
  const frame = frameOf(context, confirmSession);
  const page = context.views.refused(frame, {
    action: context.addresses.to('/device/confirm'),
    fields: fieldsOf(context, confirmSession, []),
    reason,
    client: client.name,
    account: facts.signIn.account,
    upstream: upstreamName(context, facts.signIn.upstream),
    ...referenceOf(response, frame.language),
  });
  response.status(403).type('html').send(page);
}

/** Which claim the policy looked at when it refused. */
function claimOf(refusal: Verdict & { verdict: 'refused' }): string | undefined {
  if (refusal.reason === 'claim') return refusal.claim;
  return refusal.reason === 'group' || refusal.reason === 'deny_group' ? 'groups' : undefined;
}

export function renderConfirm(
  context: PageContext,
  confirmSession: ConfirmSession,
  { requester, warnings, charactersToType }: Pick<ConfirmJudgement, 'requester' | 'warnings' | 'charactersToType'>,
  { status, isWrong }: { status: number; isWrong: boolean },
): void {
  const { client, facts, view, response } = confirmSession;
  const { alphabet, group } = context.deps.grants.userCodes;
  const { userCode } = facts;
  const scopes = shownScopes(confirmSession);
  const frame = frameOf(context, confirmSession);
  const hidden = '•'.repeat(charactersToType);
  const told = toldClaims(confirmSession, scopes);
  const items = [...scopes, ...facts.beyondScopes].map((name) => scopeItem(context, name, frame.language, told.all));
  // A scope that is a claim too says it already, in words.
  const said = new Set(items.map(({ saysClaim }) => saysClaim));
  const page = context.views.confirm(frame, {
    action: context.addresses.to('/device/confirm'),
    fields: fieldsOf(context, confirmSession, warnings),
    client: client.name,
    clientLogo: client.logo,
    account: facts.signIn.account,
    upstream: client.upstreams.length > 1 ? upstreamName(context, facts.signIn.upstream) : undefined,
    scopes: items,
    resources: shownResources(client, view.grant),
    claims: told.all.filter((name) => !said.has(name)),
    claimsForServices: told.forServices,
    claimWords: claimWordsOf(told.all, frame.language),
    worksUntil: frame.language.clock(view.grant.expiresAtMs),
    timesScript: allowScript(context, response, context.timesScript),
    code: formatUserCode(userCode.slice(0, userCode.length - charactersToType) + hidden, group),
    age: frame.language.ago(requester.ageSeconds * 1000),
    source: requester.address,
    place: requester.from,
    geoPlace: placeWords(context.deps.geo.placeOf(requester.address), frame.language),
    deviceLabel: view.grant.deviceLabel,
    isLoopback: isLoopbackAsked(client, view.grant),
    duration: durationOf(context, confirmSession, scopes),
    warnings: toldWarnings(warnings),
    confirmCode:
      charactersToType === 0
        ? undefined
        : {
            length: charactersToType,
            isWhole: charactersToType === userCode.length,
            isNumeric: alphabet === NUMERIC,
            isWrong,
            group: charactersToType % group === 0 || charactersToType === userCode.length ? group : undefined,
            script: allowScript(context, response, context.codeScript),
          },
  });
  response.status(status).type('html').send(page);
}

/** Another country is another network too; to say both would only be longer. */
function toldWarnings(warnings: readonly Warning[]): Warning[] {
  return warnings.filter((warning) => warning !== 'other_network' || !warnings.includes('other_country'));
}

/** As long as the session would live that a redemption begins now. */
function durationOf(
  context: PageContext,
  { client, facts, view }: ConfirmSession,
  scopes: readonly string[],
): ConfirmLocals['duration'] {
  const { signIn } = facts;
  const beginning = { client, approval: signIn, scopes, atMs: view.nowMs };
  const unchecked = context.deps.upstreams.get(signIn.upstream)?.uncheckedSessionSeconds ?? 0;
  const { refreshes, endsAtMs } = sessionLife(beginning, unchecked);
  const seconds = Math.max(1, (endsAtMs - view.nowMs) / 1000);
  if (!refreshes) return { unit: 'minutes', count: Math.ceil(seconds / MINUTE_SECONDS) };
  const isInDays = seconds > 2 * DAY_SECONDS || seconds % DAY_SECONDS === 0;
  return isInDays
    ? { unit: 'days', count: Math.ceil(seconds / DAY_SECONDS) }
    : { unit: 'hours', count: Math.ceil(seconds / HOUR_SECONDS) };
}

/** What is shown is what may be approved: the configuration may have changed since the sign-in (I5). */
export function shownScopes({ client, facts }: Pick<ConfirmSession, 'client' | 'facts'>): string[] {
  return intersectScopes(facts.grantedScopes, client.scopes.allowed);
}

/** What the page said that may be otherwise when the answer comes. */
export interface Said {
  warnings: readonly string[];
  scopes: readonly string[];
  resources: readonly string[];
}

/**
 * What the person was shown, from a form that belongs to this browser, grant and account.
 *
 * @throws {PageProblem} for any other form
 */
export function saidThere(context: PageContext, confirmSession: ConfirmSession): Said {
  const { body } = confirmSession.request;
  const warned = fieldOf(body, 'warned') ?? '';
  const shown = fieldOf(body, 'shown') ?? '';
  const resources = fieldOf(body, 'resources') ?? '';
  if (!context.forms.isToken(DECIDE, tokenFacts(confirmSession, warned, shown, resources), fieldOf(body, 'token'))) {
    throw new PageProblem('form_refused', { detail: 'token of the decision' });
  }
  return { warnings: warned.split(' '), scopes: shown.split(' '), resources: resources.split(' ') };
}

function fieldsOf(context: PageContext, confirmSession: ConfirmSession, warnings: readonly Warning[]): HiddenFields {
  const warned = warnings.join(' ');
  const shown = shownScopes(confirmSession).join(' ');
  const resources = shownResources(confirmSession.client, confirmSession.view.grant).join(' ');
  return {
    ticket: confirmSession.ticket,
    warned,
    shown,
    ...(resources !== '' && { resources }),
    token: context.forms.token(DECIDE, tokenFacts(confirmSession, warned, shown, resources)),
  };
}

function tokenFacts(
  { browser, view, facts }: ConfirmSession,
  warned: string,
  shown: string,
  resources: string,
): string[] {
  const { upstream, subject } = facts.signIn;
  return [browser.reveal(), view.grant.id, upstream, subject, warned, shown, ...(resources === '' ? [] : [resources])];
}

function frameOf(context: PageContext, { request, response, ticket }: ConfirmSession) {
  return context.frame(request, response, context.addresses.to('/device/confirm', { ticket }));
}
