import type { Request, Response } from 'express';
import { openArrival } from '../../grants/decide/trip.ts';
import { MAX_PASTED } from '../../grants/start/code-in-text.ts';
import { charactersOfCodes, formatUserCode, NUMERIC, normaliseUserCode } from '../../grants/start/user-code.ts';
import { browserOf } from '../frame/browser-session.ts';
import { allowScript } from '../frame/page-assets.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { requestIdOf } from '../frame/reference.ts';
import { readTicket } from '../sign-in/ticket.ts';
import type { EnteredPerson } from './finish-enter-sign-in.ts';

export const CODE_FORM = 'enter code';
export const MAX_TYPED = 64;
const PASS = 'pass the stop page';

/** What the form remembers of how it was opened; it comes back under a MAC, so nobody can talk it away. */
export interface CodeFormMemory {
  /** What the address had of a code, without separators and whatever no code has; '' where that is nothing. */
  prefilled: string;
  /** The person came by a link from another site, and went on past the stop page. */
  followedLink: boolean;
}

export function readMemory(memory: string): CodeFormMemory {
  return { prefilled: memory.replace('>', ''), followedLink: memory.startsWith('>') };
}

export function writeMemory({ prefilled, followedLink }: CodeFormMemory): string {
  return (followedLink ? '>' : '') + prefilled;
}

/** GET `/device`: `?user_code=` only fills in the form; a person still acts (RFC 8628 §3.3.1). */
export async function showCodeForm(context: PageContext, request: Request, response: Response): Promise<void> {
  const { deps, forms, addresses } = context;
  const written = fieldOf(request.query, 'ticket');
  const entered = await enteredTicket(context, request, written);
  if (entered !== undefined) {
    context.links.noteOwnAddress(response);
    const { typed: code, memory } = entered;
    return renderCodeForm(context, request, response, { status: 200, code, memory, ticket: written });
  }
  const pass = fieldOf(request.query, 'pass');
  const passed = pass === undefined ? undefined : forms.readVisitorToken(forms.visitor(request, response), PASS, pass);
  if (passed !== undefined) {
    const memory = writeMemory({ prefilled: '', followedLink: passed === 'cross_site' });
    return renderCodeForm(context, request, response, { status: 200, code: '', memory });
  }

  const { verdict, arrival, from } = context.links.judge(request);
  if (arrival === 'typed') context.links.forget(request, response);
  if (verdict === 'stop' || verdict === 'stop_with_continue') {
    const token = forms.visitorToken(forms.visitor(request, response), PASS, arrival);
    deps.log.event('link.followed', {
      requestId: requestIdOf(response),
      source: deps.sourceOf(request),
      detail: from,
    });
    const page = context.views.stop(context.frame(request, response, addresses.to('/device')), {
      from: arrival === 'cross_site' ? from : undefined,
      isForeign: arrival === 'cross_site',
      onward: verdict === 'stop' ? undefined : addresses.to('/device', { pass: token }),
    });
    response.type('html').send(page);
    return;
  }
  // With a pass that does not count the person still was at the stop page: only there the address is made.
  const followedLink = pass !== undefined;
  const inAddress = verdict === 'go' && !followedLink ? fieldOf(request.query, 'user_code') : undefined;
  const typed = inAddress?.slice(0, MAX_TYPED) ?? '';
  const prefilled = charactersOfCodes(typed, deps.grants.userCodes);
  const memory = writeMemory({ prefilled, followedLink });
  renderCodeForm(context, request, response, { status: 200, code: typed, memory });
}

export interface ShownCodeForm {
  status: number;
  code: string;
  memory: string;
  /** Says who types, where somebody signed in first. */
  ticket?: string | undefined;
  problem?: 'wrong';
}

export function renderCodeForm(context: PageContext, request: Request, response: Response, shown: ShownCodeForm): void {
  const { addresses, codeScript, forms, deps, views } = context;
  const { status, code: typed, memory, ticket, problem } = shown;
  const { userCodes } = deps.grants;
  const normalised = problem === undefined ? normaliseUserCode(typed, userCodes) : undefined;
  const code = normalised === undefined ? typed.slice(0, MAX_TYPED) : formatUserCode(normalised, userCodes.group);
  const frame = context.frame(request, response, request.method === 'GET' ? undefined : addresses.to('/device'));
  const token = forms.visitorToken(forms.visitor(request, response), CODE_FORM, memory);
  const { prefilled } = readMemory(memory);
  const page = views.enterCode(frame, {
    action: addresses.to('/device'),
    fields: { token, ...(ticket !== undefined && { ticket }) },
    code,
    isPrefilled: prefilled !== '' && prefilled === normalised,
    isNumeric: userCodes.alphabet === NUMERIC,
    group: userCodes.group,
    alphabet: userCodes.alphabet,
    longest: MAX_PASTED,
    script: allowScript(context, response, codeScript),
    problem,
  });
  response.status(status).type('html').send(page);
}

/** The person who signed in to type a code, where this browser's ticket names such a sign-in. */
export async function enteredPerson(
  context: PageContext,
  request: Request,
  written: string | undefined,
): Promise<EnteredPerson | undefined> {
  const ticket = await enteredTicket(context, request, written);
  const browser = browserOf(request);
  if (ticket === undefined || browser === undefined) return undefined;
  return (await openArrival(context.deps.grants, browser, ticket.arrival)) as EnteredPerson | undefined;
}

async function enteredTicket(context: PageContext, request: Request, written: string | undefined) {
  const browser = browserOf(request);
  return browser === undefined ? undefined : readTicket(context.deps.grants.sealing, browser, 'entered', written);
}
