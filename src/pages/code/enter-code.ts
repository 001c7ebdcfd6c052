/**
 * Typing the code: the form, what may be tried, and where it leads. What the person approves is not shown here, since nobody
 * has signed in yet.
 */

import type { Request, Response } from 'express';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import { type BrowserValue, TRIP_MS } from '../../grants/decide/trip.ts';
import { codeInText } from '../../grants/start/code-in-text.ts';
import { charactersOfCodes, normaliseUserCode } from '../../grants/start/user-code.ts';
import { findByUserCode, type GrantView, markOpened } from '../../grants/view-grant.ts';
import type { EntryVerdict } from '../../limits/code-entry-limits.ts';
import { mayFollowLink } from '../../safeguards/arrival.ts';
import { isPrefilled } from '../../safeguards/complete.ts';
import { codeTag, logTag } from '../../telemetry/logger.ts';
import { browserOf, newBrowserValue, renewBrowserSession } from '../frame/browser-session.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { countSignIn } from '../sign-in/start-sign-in.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { CODE_FORM, enteredPerson, MAX_TYPED, readMemory, renderCodeForm, writeMemory } from './code-form.ts';

/** One code as somebody typed it. */
interface Entry {
  request: Request;
  response: Response;
  browser: BrowserValue;
  typed: string;
  /** What the form remembers: see `code-form`. */
  memory: string;
  source: string;
}

/** POST `/device`: a wrong, an expired and a used code get the same answer, since a guesser would learn from another. */
export async function enterCode(context: PageContext, request: Request, response: Response): Promise<void> {
  const { deps, forms } = context;
  const { grants } = deps;
  forms.requireOwnOrigin(request);
  const visitor = forms.requireVisitor(request);
  const opened = forms.requireVisitorToken(visitor, CODE_FORM, fieldOf(request.body, 'token'));
  const source = deps.sourceOf(request);
  const { typed, isFromAddress } = codeInText(fieldOf(request.body, 'user_code') ?? '', grants.userCodes);
  // An address in the field is one that somebody handed on, as much as one in the address bar.
  const memory = isFromAddress
    ? writeMemory({ ...readMemory(opened), prefilled: prefilledBy(context, typed) })
    : opened;
  const browser = browserOf(request) ?? newBrowserValue(grants.randomBytes);
  const entry: Entry = { request, response, browser, typed, memory, source };

  const person = await enteredPerson(context, request, fieldOf(request.body, 'ticket'));
  const limited = { source, browser: grants.sealing.tag('visitor', visitor), person, nowMs: await grants.ledger.now() };
  const verdict = await deps.codeEntryLimits.mayEnter(limited);
  if (verdict.verdict === 'refused') throw tooManyTries(context, entry, verdict);
  if (verdict.verdict === 'sign_in_first') return signInFirst(context, entry, verdict);

  const view = await findByUserCode(grants, typed, forms.visitorTag(request));
  const client = view === undefined ? undefined : deps.clients.get(view.grant.clientId);
  if (view === undefined || client === undefined) return wrongCode(context, entry);
  await verdict.wasRight();
  await openCode(context, entry, view, client);
}

function prefilledBy({ deps }: PageContext, typed: string): string {
  return charactersOfCodes(typed.slice(0, MAX_TYPED), deps.grants.userCodes);
}

function wrongCode(context: PageContext, { request, response, typed, memory, source }: Entry): void {
  const code = normaliseUserCode(typed, context.deps.grants.userCodes);
  context.deps.log.event('code.wrong', {
    requestId: requestIdOf(response),
    source,
    code: code === undefined ? undefined : codeTag(context.deps.grants.sealing, code),
  });
  renderCodeForm(context, request, response, {
    status: 400,
    code: typed,
    memory,
    ticket: fieldOf(request.body, 'ticket'),
    problem: 'wrong',
  });
}

async function openCode(context: PageContext, entry: Entry, view: GrantView, client: RegisteredClient): Promise<void> {
  const { deps, addresses, forms } = context;
  const { request, response, browser, typed, memory, source } = entry;
  const { grant, nowMs } = view;
  noteFacts(response, { grant: logTag(grant.id), client: client.id });
  const remembered = readMemory(memory);
  const { followedLink } = remembered;
  if (followedLink && !mayFollowLink(client.safeguards.arrival)) throw new PageProblem('followed_link');

  await countSignIn(context, request, response, grant.id);
  await renewBrowserSession(request, browser, grant.keptUntilMs - nowMs);
  await markOpened(deps.grants, grant, forms.visitorTag(request));
  const userCode = normaliseUserCode(typed, deps.grants.userCodes) ?? '';
  deps.log.event(view.openElsewhere ? 'grant.opened_again' : 'grant.opened', {
    requestId: requestIdOf(response),
    grant: logTag(grant.id),
    client: client.id,
    source,
    code: codeTag(deps.grants.sealing, userCode),
    signal: followedLink ? ['followed_link'] : undefined,
  });
  const ticket = await writeTicket(deps.grants.sealing, browser, 'sign-in', {
    grant: grant.id,
    userCode,
    codePrefilled: isPrefilled(remembered.prefilled, userCode),
    followedLink,
  });
  response.redirect(303, addresses.to('/device/sign-in', { ticket }));
}

/** At the total nobody is refused: each now answers for their own wrong codes, by the account that they sign in with. */
async function signInFirst(
  context: PageContext,
  { request, response, browser, typed, memory, source }: Entry,
  { limit, isNews }: EntryVerdict & { verdict: 'sign_in_first' },
): Promise<void> {
  if (isNews) context.deps.log.event('limit.reached', { requestId: requestIdOf(response), limit, source });
  await countSignIn(context, request, response);
  await renewBrowserSession(request, browser, TRIP_MS);
  const entering = { typed: typed.slice(0, MAX_TYPED), memory };
  const ticket = await writeTicket(context.deps.grants.sealing, browser, 'enter', entering);
  response.redirect(303, context.addresses.to('/device/sign-in', { ticket }));
}

function tooManyTries(
  { deps }: PageContext,
  { response, source }: Entry,
  { limit, retryAfterSeconds }: EntryVerdict & { verdict: 'refused' },
): PageProblem {
  deps.log.event('limit.reached', { requestId: requestIdOf(response), limit, source });
  return new PageProblem('too_many_tries', { retryAfterSeconds });
}
