import type { Request, Response } from 'express';
import { EMAIL_VERIFIED } from '../../grants/decide/approver-conditions.ts';
import { tokenClaims } from '../../grants/decide/client-claims.ts';
import { judgeApprover, shownResources, type Verdict } from '../../grants/decide/policy.ts';
import { sessionLife } from '../../grants/session-life.ts';
import { formatUserCode, NUMERIC } from '../../grants/start/user-code.ts';
import { intersectScopes } from '../../oauth/scope.ts';
import type { ConfirmJudgement, Obstacle, Warning } from '../../safeguards/safeguards.ts';
import type { Language } from '../frame/languages.ts';
import { fieldOf, type PageKit } from '../frame/page-context.ts';
import { routeOf } from '../frame/page-error.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { referenceOf } from '../frame/reference.ts';
import type { ConfirmLocals, HiddenFields } from '../frame/views.ts';
import { readTicket, writeTicket } from '../sign-in/ticket.ts';
import { entryOf, loggedOf, personOf, type Standing, standingOf, upstreamName } from './confirm-session.ts';
import { mayApprove } from './may-approve.ts';

const DECIDE = 'decide';
/** OpenID Connect Core §5.4 and §11. */
const STANDARD_SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** GET `/device/confirm`: who, what, which device. Nothing is counted, so that it can be reloaded. */
export async function showConfirm(kit: PageKit, request: Request, response: Response): Promise<void> {
  const standing = await standingOf(kit, request, response, fieldOf(request.query, 'ticket'));
  const { view } = standing;
  if (view.state === 'expired') throw new PageProblem('ran_out_signed_in');
  if (view.state !== 'pending') return toDone(kit, standing);
  if (!(await mayApprove(kit, standing))) return renderRefused(kit, standing, 'account');
  const { client } = standing;
  const judged = await kit.ground.safeguards.judgeConfirm(
    client,
    view.grant,
    personOf(kit, standing),
    entryOf(standing),
  );
  if (judged.obstacle !== undefined) return renderRefused(kit, standing, judged.obstacle);
  renderConfirm(kit, standing, judged, { status: 200, isWrong: false });
}

/**
 * On to what happened; the first decision stands, whoever made it. An approval of this browser is shown again as it was
 * the first time, with digits and undo.
 */
export async function toDone(
  kit: PageKit,
  { browser, view, facts, response }: Standing,
  receipt = view.receipt,
): Promise<void> {
  const { sealing } = kit.ground.grants;
  const { upstream, account } = facts.signIn;
  // Another browser's does not open here.
  const received = await readTicket(sealing, browser, 'receipt', receipt);
  const done = received ?? { grant: view.grant.id, upstream, account };
  const ticket = await writeTicket(sealing, browser, 'done', done);
  response.redirect(303, kit.addresses.to('/device/done', { ticket }));
}

/** This person cannot approve here and now, but may deny, or come as somebody else; the grant stays pending. */
export function renderRefused(kit: PageKit, standing: Standing, reason: 'account' | Obstacle): void {
  const { client, facts, request, response } = standing;
  const { log, sourceOf } = kit.ground;
  const judged = judgeApprover(client, facts.signIn);
  const isByPolicy = reason === 'account' && judged.verdict === 'refused';
  const claim = isByPolicy ? claimOf(judged) : undefined;
  const detail = isByPolicy ? `approvers: ${judged.reason}` : undefined;
  const source = sourceOf(request);
  const logged = { ...loggedOf(standing), claim, route: routeOf(request), status: 403 };
  log.event('page.refused', { ...logged, reason, detail, source });
  const frame = frameOf(kit, standing);
  const page = kit.views.refused(frame, {
    action: kit.addresses.to('/device/confirm'),
    fields: fieldsOf(kit, standing, []),
    reason: detail === 'approvers: claims_too_large' ? 'claims' : reason,
    client: client.name,
    account: facts.signIn.account,
    upstream: upstreamName(kit, facts.signIn.upstream),
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
  kit: PageKit,
  standing: Standing,
  { requester, warnings, charactersToType }: Pick<ConfirmJudgement, 'requester' | 'warnings' | 'charactersToType'>,
  { status, isWrong }: { status: number; isWrong: boolean },
): void {
  const { client, facts, view, response } = standing;
  const { alphabet, group } = kit.ground.grants.userCodes;
  const { userCode } = facts;
  const scopes = shownScopes(standing);
  const frame = frameOf(kit, standing);
  const hidden = '•'.repeat(charactersToType);
  const page = kit.views.confirm(frame, {
    action: kit.addresses.to('/device/confirm'),
    fields: fieldsOf(kit, standing, warnings),
    client: client.name,
    account: facts.signIn.account,
    upstream: upstreamName(kit, facts.signIn.upstream),
    scopes: [...scopes, ...facts.beyondScopes].map((name) => ({
      name,
      description: descriptionOf(kit, name, frame.language),
    })),
    resources: shownResources(client, view.grant),
    ...toldClaims(standing, scopes),
    code: formatUserCode(userCode.slice(0, userCode.length - charactersToType) + hidden, group),
    age: frame.language.ago(requester.ageSeconds * 1000),
    source: requester.address,
    place: requester.from,
    deviceLabel: view.grant.deviceLabel,
    duration: durationOf(kit, standing, scopes),
    warnings,
    confirmCode:
      charactersToType === 0
        ? undefined
        : {
            length: charactersToType,
            isWhole: charactersToType === userCode.length,
            isNumeric: alphabet === NUMERIC,
            isWrong,
          },
  });
  response.status(status).type('html').send(page);
}

/** What the tokens say of the person, and to whom: without `openid` there is no ID token, and relay mints no access token. */
function toldClaims({ client, facts }: Standing, scopes: readonly string[]) {
  const { idToken, accessToken } = tokenClaims(client, scopes);
  const forDevice = scopes.includes('openid') ? idToken : [];
  const forServices = client.tokens === 'mint' ? accessToken : [];
  // Whether an address was verified is a word about it, and none about the person. Of a scope's claims, those that came.
  const isTold = (name: string) =>
    name !== EMAIL_VERIFIED && (client.claims.standard !== true || Object.hasOwn(facts.signIn.claims, name));
  return {
    claims: [...new Set([...forDevice, ...forServices])].filter(isTold),
    claimsForServices: forServices.filter(isTold),
  };
}

/** As long as the session would live that a redemption begins now. */
function durationOf(
  kit: PageKit,
  { client, facts, view }: Standing,
  scopes: readonly string[],
): ConfirmLocals['duration'] {
  const { signIn } = facts;
  const beginning = { client, approval: signIn, scopes, atMs: view.nowMs };
  const unchecked = kit.ground.upstreams.get(signIn.upstream)?.uncheckedSessionSeconds ?? 0;
  const { refreshes, endsAtMs } = sessionLife(beginning, unchecked);
  const seconds = Math.max(1, (endsAtMs - view.nowMs) / 1000);
  if (!refreshes) return { unit: 'minutes', count: Math.ceil(seconds / MINUTE_SECONDS) };
  const isInDays = seconds > 2 * DAY_SECONDS || seconds % DAY_SECONDS === 0;
  return isInDays
    ? { unit: 'days', count: Math.ceil(seconds / DAY_SECONDS) }
    : { unit: 'hours', count: Math.ceil(seconds / HOUR_SECONDS) };
}

/** What is shown is what may be approved: the configuration may have changed since the sign-in (I5). */
export function shownScopes({ client, facts }: Pick<Standing, 'client' | 'facts'>): string[] {
  return intersectScopes(facts.grantedScopes, client.scopes.allowed);
}

/** In the administrator's words; the standard's own scopes have ours. */
function descriptionOf(kit: PageKit, scope: string, language: Language): string | undefined {
  const { scopeDescriptions } = kit.ground;
  if (Object.hasOwn(scopeDescriptions, scope)) return scopeDescriptions[scope];
  return STANDARD_SCOPES.includes(scope) ? language.t(`scope.${scope}`) : undefined;
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
export function saidThere(kit: PageKit, standing: Standing): Said {
  const { body } = standing.request;
  const warned = fieldOf(body, 'warned') ?? '';
  const shown = fieldOf(body, 'shown') ?? '';
  const resources = fieldOf(body, 'resources') ?? '';
  if (!kit.forms.isToken(DECIDE, tokenFacts(standing, warned, shown, resources), fieldOf(body, 'token'))) {
    throw new PageProblem('form_refused', { detail: 'token of the decision' });
  }
  return { warnings: warned.split(' '), scopes: shown.split(' '), resources: resources.split(' ') };
}

function fieldsOf(kit: PageKit, standing: Standing, warnings: readonly Warning[]): HiddenFields {
  const warned = warnings.join(' ');
  const shown = shownScopes(standing).join(' ');
  const resources = shownResources(standing.client, standing.view.grant).join(' ');
  return {
    ticket: standing.ticket,
    warned,
    shown,
    ...(resources !== '' && { resources }),
    token: kit.forms.token(DECIDE, tokenFacts(standing, warned, shown, resources)),
  };
}

function tokenFacts({ browser, view, facts }: Standing, warned: string, shown: string, resources: string): string[] {
  const { upstream, subject } = facts.signIn;
  return [browser.reveal(), view.grant.id, upstream, subject, warned, shown, ...(resources === '' ? [] : [resources])];
}

function frameOf(kit: PageKit, { request, response, ticket }: Standing) {
  return kit.frame(request, response, kit.addresses.to('/device/confirm', { ticket }));
}
