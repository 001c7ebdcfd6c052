import type { Request, Response } from 'express';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import { judgeApprover, missingProof, stillAllowed } from '../../grants/decide/policy.ts';
import { type BrowserValue, openArrival } from '../../grants/decide/trip.ts';
import { isMarkedEnded } from '../../grants/revocation-marks.ts';
import { type GrantView, viewGrant } from '../../grants/view-grant.ts';
import type { EnteredCode, Person } from '../../safeguards/safeguards.ts';
import { isStartStillMet } from '../../safeguards/still-met.ts';
import { judgeSignIn } from '../../safeguards/strong-sign-in.ts';
import { logTag } from '../../telemetry/logger.ts';
import { browserOf } from '../frame/browser-session.ts';
import type { PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import { noteFacts } from '../frame/request-facts.ts';
import type { SignInFacts } from '../sign-in/sign-in-facts.ts';
import { readTicket } from '../sign-in/ticket.ts';
import { anyName } from './place-words.ts';

/** A grant as it stands to a person who signed in for it, at an address that names both. */
export interface ConfirmSession {
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
export async function readConfirmSession(
  context: PageContext,
  request: Request,
  response: Response,
  ticket: string | undefined,
  browser = browserOf(request),
): Promise<ConfirmSession> {
  const { grants, clients } = context.deps;
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  const read = await readTicket(grants.sealing, browser, 'confirm', ticket);
  if (read === undefined) throw new PageProblem('no_session', { detail: 'no ticket of this browser' });
  noteFacts(response, { grant: logTag(read.grant) });
  context.links.noteOwnAddress(response);
  const view = await viewGrant(grants, read.grant, context.forms.visitorTag(request));
  const client = view === undefined ? undefined : clients.get(view.grant.clientId);
  const facts = (await openArrival(grants, browser, read.arrival, read.grant)) as SignInFacts | undefined;
  const { upstream, subject } = facts?.signIn ?? {};
  noteFacts(response, { client: view?.grant.clientId, upstream, subject });
  if (view === undefined || client === undefined || facts === undefined) throw new PageProblem('ran_out_signed_in');
  return { request, response, browser, ticket: ticket ?? '', view, client, facts };
}

export interface ConfirmVerdict {
  /** `undecided`: the upstream did not say what the policy needs. */
  verdict: 'allowed' | 'refused' | 'undecided' | 'too_weak' | 'start_again';
  /** For the log: what is missing. */
  detail?: string;
}

/**
 * By today's configuration and marks: a sign-in from before a logout or a kill switch no longer counts, one that is too
 * weak or too old by now does not either, and one whose tokens were given back at a refusal cannot approve after a change
 * of the policy. A device that started with less than is asked for today must start again.
 */
export async function judgeConfirmSession(
  context: PageContext,
  { client, facts, view }: ConfirmSession,
): Promise<ConfirmVerdict> {
  const { signIn } = facts;
  const lacking = lackingStart(client, view);
  if (lacking !== undefined) return { verdict: 'start_again', detail: lacking };
  const strength = judgeSignIn(client.safeguards, signIn, {
    ...{ grantStartedAtMs: view.grant.startedAtMs, nowMs: view.nowMs },
    clockToleranceSeconds: context.deps.upstreams.get(signIn.upstream)?.clockToleranceSeconds ?? 0,
  });
  if (strength.verdict === 'too_weak') return { verdict: 'too_weak', detail: strength.missing };
  const { verdict } = judgeApprover(client, signIn);
  if (verdict !== 'allowed') return { verdict: verdict === 'refused' ? 'refused' : 'undecided' };
  if (client.tokens === 'relay' && signIn.upstreamTokens === undefined) return { verdict: 'refused' };
  const isEnded = await isMarkedEnded(context.deps.grants, {
    ...signIn,
    clientId: client.id,
    source: view.grant.source,
    endsOnLogout: client.endOnLogout,
  });
  return { verdict: isEnded ? 'refused' : 'allowed' };
}

/** What keeps everybody from approving this start, whoever signs in. */
export function lackingStart(client: RegisteredClient, { grant }: GrantView): string | undefined {
  if (grant.resources.length > 0 && stillAllowed(client, grant).resources.length === 0) return 'resources';
  return missingProof(client, grant) ?? (isStartStillMet(client, grant) ? undefined : 'safeguards');
}

/** The person as the safeguards look at them. */
export function personOf(context: PageContext, { request, facts, view }: ConfirmSession): Person {
  const { upstream, subject } = facts.signIn;
  return { upstream, subject, address: context.deps.sourceOf(request), nowMs: view.nowMs };
}

export function entryOf({ facts, view }: ConfirmSession): EnteredCode {
  const { userCode, codePrefilled, followedLink } = facts;
  return { userCode, codePrefilled, followedLink, openElsewhere: view.openElsewhere };
}

/** What each log line about a standing has. */
export function loggedOf({ response, view, client, facts }: ConfirmSession) {
  const { upstream, subject } = facts.signIn;
  return { requestId: requestIdOf(response), grant: logTag(view.grant.id), client: client.id, upstream, subject };
}

/** Where both sides of a decision are, in English: for whoever looks for what does not fit. */
export function loggedPlaces({ deps }: PageContext, { request, view }: ConfirmSession) {
  const told = (address: string) => {
    const place = deps.geo.placeOf(address);
    return place && { country: place.countryCode, city: anyName(place.city), network: place.network };
  };
  return { place: told(deps.sourceOf(request)), requesterPlace: told(view.grant.source) };
}

export function upstreamName(context: PageContext, id: string): string {
  return context.deps.upstreams.get(id)?.displayName ?? id;
}
