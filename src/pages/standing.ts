import type { Request } from 'express';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { isMarkedEnded } from '../grants/before-marks.ts';
import { type GrantView, viewGrant } from '../grants/open-grant.ts';
import { judgeApprover } from '../grants/policy.ts';
import { type BrowserValue, browserTag, openArrival } from '../grants/trip.ts';
import { browserOf } from './browser-session.ts';
import type { PageKit } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import type { SignInFacts } from './sign-in-facts.ts';
import { type GrantTicket, readTicket } from './ticket.ts';

/** A grant as the browser stands to it whose address names it. */
export interface Standing {
  browser: BrowserValue;
  browserTag: string;
  ticket: GrantTicket;
  view: GrantView;
  client: RegisteredClient | undefined;
  /** What the sign-in brought; none where the upstream refused. */
  facts: SignInFacts | undefined;
}

/** @throws {PageProblem} where the address belongs to another browser, or where all of it has lapsed */
export async function standingOf(kit: PageKit, request: Request, written: string | undefined): Promise<Standing> {
  const { grants, clients } = kit.ground;
  const browser = browserOf(request);
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  const ticket = await readTicket(grants.sealing, browser, 'grant', written);
  if (ticket === undefined) throw new PageProblem('no_session', { detail: 'no such ticket' });
  const tag = browserTag(grants, browser);
  const view = await viewGrant(grants, ticket.grant, tag);
  if (view === undefined) throw new PageProblem('ran_out');
  const facts =
    ticket.arrival === undefined ? undefined : await openArrival(grants, browser, ticket.arrival, ticket.grant);
  return {
    browser,
    browserTag: tag,
    ticket,
    view,
    client: clients.get(view.grant.clientId),
    facts: facts as SignInFacts | undefined,
  };
}

export type ApproverVerdict = 'allowed' | 'refused' | 'claim_missing';

/** By today's configuration and marks: a sign-in from before a logout or a kill switch no longer counts. */
export async function judgeStanding(
  kit: PageKit,
  client: RegisteredClient,
  { signIn }: SignInFacts,
  { grant }: GrantView,
): Promise<ApproverVerdict> {
  const { verdict } = judgeApprover(client, signIn);
  if (verdict !== 'allowed') return verdict;
  const isEnded = await isMarkedEnded(kit.ground.grants, {
    ...signIn,
    clientId: client.id,
    sourcePrefixes: kit.ground.sourcePrefixes(grant.source),
    endsOnLogout: client.endOnLogout,
  });
  return isEnded ? 'refused' : 'allowed';
}
