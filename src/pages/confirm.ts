import type { Request, Response } from 'express';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { NUMERIC } from '../grants/user-code.ts';
import { confirmCodeOf, shownCode } from './confirm-code.ts';
import { fieldOf, type PageKit } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import type { SignInFacts } from './sign-in-facts.ts';
import { judgeStanding, type Standing, standingOf } from './standing.ts';
import { writeTicket } from './ticket.ts';
import type { HiddenFields } from './views.ts';

export const DECIDE = 'decide';
const DAY = 24 * 60 * 60;

/** A standing in which a person may still answer. */
export type OpenStanding = Standing & { client: RegisteredClient; facts: SignInFacts };

/** GET `/device/confirm`: who, what, which device. */
export async function showConfirm(kit: PageKit, request: Request, response: Response): Promise<void> {
  const written = fieldOf(request.query, 'ticket');
  const standing = await standingOf(kit, request, written);
  const { view } = standing;
  if (view.state === 'expired') throw new PageProblem('ran_out_signed_in');
  if (!isOpen(standing)) {
    return response.redirect(303, kit.addresses.to('/device/done', { ticket: written ?? '' }));
  }
  const verdict = await judgeStanding(kit, standing.client, standing.facts, view);
  if (verdict === 'claim_missing') throw await claimMissing(kit, standing);
  if (verdict === 'refused') return renderRefused(kit, request, response, standing, written ?? '');
  renderConfirm(kit, request, response, standing, { written: written ?? '', status: 200 });
}

export function isOpen(standing: Standing): standing is OpenStanding {
  const { view, client, facts } = standing;
  return view.state === 'pending' && client !== undefined && facts !== undefined;
}

/** What the token of both forms stands for: this browser, grant and account, and what the page warned of. */
export function decisionFacts({ browser, view, facts }: OpenStanding, isWarned: boolean): string[] {
  const { upstream, subject } = facts.signIn;
  return [browser.reveal(), view.grant.id, upstream, subject, isWarned ? 'warned' : 'calm'];
}

export async function claimMissing(kit: PageKit, { browser, facts, ticket }: OpenStanding): Promise<PageProblem> {
  const { signIn, userCode, codePrefilled } = facts;
  const { sealing } = kit.ground.grants;
  const again = await writeTicket(sealing, browser, 'sign-in', { grant: ticket.grant, userCode, codePrefilled });
  return new PageProblem('upstream_claim_missing', {
    again: kit.addresses.to('/device/sign-in', { upstream: signIn.upstream, ticket: again }),
    words: { upstream: kit.ground.upstreams.get(signIn.upstream)?.displayName ?? signIn.upstream },
  });
}

export function renderRefused(
  kit: PageKit,
  request: Request,
  response: Response,
  standing: OpenStanding,
  written: string,
): void {
  const { client, facts } = standing;
  const page = kit.views.refused(
    kit.frame(request, response, kit.addresses.to('/device/confirm', { ticket: written })),
    {
      action: kit.addresses.to('/device/confirm'),
      fields: fieldsOf(kit, standing, written),
      client: client.name,
      account: facts.signIn.account,
      upstream: upstreamName(kit, facts),
    },
  );
  response.status(403).type('html').send(page);
}

export function renderConfirm(
  kit: PageKit,
  request: Request,
  response: Response,
  standing: OpenStanding,
  { written, status, isWrong = false }: { written: string; status: number; isWrong?: boolean },
): void {
  const { client, facts, view } = standing;
  const { userCodes } = kit.ground.grants;
  const frame = kit.frame(request, response, kit.addresses.to('/device/confirm', { ticket: written }));
  const asked = confirmCodeOf(client, facts);
  const { refreshAbsoluteSeconds, accessTokenSeconds } = client.lifetimes;
  const refreshes = client.grantTypes.includes('refresh_token') && client.refreshTokens !== 'never';
  const page = kit.views.confirm(frame, {
    action: kit.addresses.to('/device/confirm'),
    fields: fieldsOf(kit, standing, written),
    client: client.name,
    account: facts.signIn.account,
    upstream: upstreamName(kit, facts),
    scopes: shownScopes(client, facts).map((name) => ({ name, description: kit.ground.scopeDescriptions[name] })),
    code: shownCode(facts.userCode, asked, userCodes),
    age: frame.language.ago(view.nowMs - view.grant.startedAtMs),
    source: view.grant.source,
    deviceLabel: view.grant.deviceLabel,
    days: refreshes ? Math.max(1, Math.round(refreshAbsoluteSeconds / DAY)) : undefined,
    minutes: Math.max(1, Math.round(accessTokenSeconds / 60)),
    isOpenElsewhere: view.openElsewhere,
    confirmCode: asked && {
      length: asked.length,
      isWhole: asked.isWhole,
      isNumeric: userCodes.alphabet === NUMERIC,
      isWrong,
    },
  });
  response.status(status).type('html').send(page);
}

/** What is shown is what may be approved: the configuration may have changed since the sign-in (I5). */
export function shownScopes(client: RegisteredClient, { grantedScopes }: SignInFacts): string[] {
  return grantedScopes.filter((scope) => client.scopes.allowed.includes(scope));
}

function fieldsOf(kit: PageKit, standing: OpenStanding, written: string): HiddenFields {
  return { ticket: written, token: kit.forms.token(DECIDE, decisionFacts(standing, standing.view.openElsewhere)) };
}

function upstreamName(kit: PageKit, { signIn }: SignInFacts): string {
  return kit.ground.upstreams.get(signIn.upstream)?.displayName ?? signIn.upstream;
}
