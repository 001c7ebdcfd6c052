import type { Request, Response } from 'express';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { isMarkedEnded } from '../grants/before-marks.ts';
import { type GrantView, viewGrant } from '../grants/open-grant.ts';
import { judgeApprover } from '../grants/policy.ts';
import { type BrowserValue, openArrival } from '../grants/trip.ts';
import type { EnteredCode, Person } from '../safeguards/safeguards.ts';
import { logTag } from '../telemetry/log-tag.ts';
import { browserOf } from './browser-session.ts';
import { type PageKit, requestIdOf } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { noteFacts } from './request-facts.ts';
import type { SignInFacts } from './sign-in-facts.ts';
import { readTicket } from './ticket.ts';

/** A grant as it stands to a person who signed in for it, at an address that names both. */
export interface Standing {
  request: Request;
  response: Response;
  browser: BrowserValue;
  /** The ticket as it is written in addresses and forms. */
  ticket: string;
  view: GrantView;
  client: RegisteredClient;
  facts: SignInFacts;
}

/** @throws {PageProblem} where the address belongs to another browser, or where all of it has lapsed */
export async function standingOf(
  kit: PageKit,
  request: Request,
  response: Response,
  ticket: string | undefined,
  browser = browserOf(request),
): Promise<Standing> {
  const { grants, clients } = kit.ground;
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  const read = await readTicket(grants.sealing, browser, 'confirm', ticket);
  if (read === undefined) throw new PageProblem('no_session', { detail: 'no ticket of this browser' });
  noteFacts(response, { grant: logTag(read.grant) });
  const view = await viewGrant(grants, read.grant, kit.forms.visitorTag(request));
  const client = view === undefined ? undefined : clients.get(view.grant.clientId);
  const facts = (await openArrival(grants, browser, read.arrival, read.grant)) as SignInFacts | undefined;
  const { upstream, subject } = facts?.signIn ?? {};
  noteFacts(response, { client: view?.grant.clientId, upstream, subject });
  if (view === undefined || client === undefined || facts === undefined) throw new PageProblem('ran_out_signed_in');
  return { request, response, browser, ticket: ticket ?? '', view, client, facts };
}

/** `undecided`: the upstream did not say what the policy needs. */
export type StandingVerdict = 'allowed' | 'refused' | 'undecided';

/**
 * By today's configuration and marks: a sign-in from before a logout or a kill switch no longer counts, and one whose
 * tokens were given back at a refusal cannot approve after a change of the policy either.
 */
export async function judgeStanding(kit: PageKit, { client, facts, view }: Standing): Promise<StandingVerdict> {
  const { signIn } = facts;
  const judged = judgeApprover(client, signIn);
  if (judged.verdict === 'refused') return 'refused';
  if (judged.verdict !== 'allowed') return 'undecided';
  if (client.tokens === 'relay' && signIn.upstreamTokens === undefined) return 'refused';
  const isEnded = await isMarkedEnded(kit.ground.grants, {
    ...signIn,
    clientId: client.id,
    sourcePrefixes: kit.ground.sourcePrefixes(view.grant.source),
    endsOnLogout: client.endOnLogout,
  });
  return isEnded ? 'refused' : 'allowed';
}

/** The person as the safeguards look at them. */
export function personOf(kit: PageKit, { request, facts, view }: Standing): Person {
  const { upstream, subject } = facts.signIn;
  return { upstream, subject, address: kit.ground.sourceOf(request), nowMs: view.nowMs };
}

export function entryOf({ facts, view }: Standing): EnteredCode {
  const { userCode, codePrefilled, followedLink } = facts;
  return { userCode, codePrefilled, followedLink, openElsewhere: view.openElsewhere };
}

/** What each log line about a standing has. */
export function loggedOf({ response, view, client, facts }: Standing) {
  const { upstream, subject } = facts.signIn;
  return { requestId: requestIdOf(response), grant: logTag(view.grant.id), client: client.id, upstream, subject };
}

export function upstreamName(kit: PageKit, id: string): string {
  return kit.ground.upstreams.get(id)?.displayName ?? id;
}
