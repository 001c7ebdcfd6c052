import type { Request, Response } from 'express';
import { type BrowserValue, browserTag } from '../../grants/decide/trip.ts';
import { endGrant } from '../../grants/end-grant.ts';
import { latestEndMs } from '../../grants/retention.ts';
import { type GrantView, viewGrant } from '../../grants/view-grant.ts';
import { logTag } from '../../telemetry/logger.ts';
import { browserOf } from '../frame/browser-session.ts';
import type { Language } from '../frame/languages.ts';
import { allowScript } from '../frame/page-assets.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import { noteFacts } from '../frame/request-facts.ts';
import { type DoneTicket, readTicket } from '../sign-in/ticket.ts';
import type { DoneLocals, DoneState } from './confirm-locals.ts';
import { upstreamName } from './confirm-session.ts';
import { loopbackWay, showsDigits } from './loopback-way.ts';

const UNDO = 'undo';

export interface Outcome {
  browser: BrowserValue;
  written: string;
  ticket: DoneTicket;
  view: GrantView;
  /** `undefined` while nothing was decided, and when the code ran out. */
  state: DoneState | undefined;
}

/**
 * GET `/device/done`: what happened, and what to do now. It goes on by itself to nobody but a program on the same machine
 * (RFC 8628 §3.3).
 */
export async function showDone(context: PageContext, request: Request, response: Response): Promise<void> {
  const outcome = await outcomeOf(context, request, response, fieldOf(request.query, 'ticket'));
  const { ticket, view, state } = outcome;
  if (state === undefined) {
    if (view.state === 'pending') throw new PageProblem('no_session', { detail: 'not decided yet' });
    throw new PageProblem(ticket.account === undefined ? 'ran_out' : 'ran_out_signed_in');
  }
  const isOwn = state === 'approved' || state === 'connected';
  const frame = context.frame(request, response);
  const loopback = state === 'approved' ? loopbackWay(context, request, outcome) : undefined;
  const undo = isOwn ? undoForm(context, outcome, frame.language) : undefined;
  const page = context.views.done(frame, {
    state,
    client: context.deps.clients.get(view.grant.clientId)?.name ?? view.grant.clientId,
    account: ticket.account ?? '',
    upstream: upstreamName(context, ticket.upstream),
    devices: isOwn ? context.addresses.to('/sessions', { done: outcome.written }) : undefined,
    confirmationCode: state === 'approved' && showsDigits(request) ? ticket.confirmationCode : undefined,
    loopback,
    undo,
    timesScript: undo && allowScript(context, response, context.timesScript),
  });
  response.type('html').send(page);
}

/** What happened to the grant that an address names, for the browser that it belongs to. */
export async function outcomeOf(
  context: PageContext,
  request: Request,
  response: Response,
  written: string | undefined,
): Promise<Outcome> {
  const { grants } = context.deps;
  const browser = browserOf(request);
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  const ticket = await readTicket(grants.sealing, browser, 'done', written);
  if (ticket === undefined) throw new PageProblem('no_session', { detail: 'no ticket of this browser' });
  noteFacts(response, { grant: logTag(ticket.grant), upstream: ticket.upstream || undefined });
  context.links.noteOwnAddress(response);
  const view = await viewGrant(grants, ticket.grant, context.forms.visitorTag(request));
  if (view === undefined) throw new PageProblem('ran_out');
  noteFacts(response, { client: view.grant.clientId });
  return {
    browser,
    written: written ?? '',
    ticket,
    view,
    state: doneState(view, view.decidedBy === browserTag(browser)),
  };
}

function doneState(view: GrantView, isMine: boolean): DoneState | undefined {
  switch (view.state) {
    case 'approved':
      if (!isMine) return 'approved_elsewhere';
      return view.redeemed ? 'connected' : 'approved';
    case 'denied':
      if (!isMine) return 'denied_elsewhere';
      if (view.deniedBy === 'upstream') return 'denied_upstream';
      return view.deniedBy === 'report' ? 'reported' : 'denied';
    case 'ended':
      return 'ended';
    case 'expired':
    case 'pending':
      return undefined;
  }
}

function undoForm(context: PageContext, outcome: Outcome, language: Language): DoneLocals['undo'] {
  const { ticket, view, written } = outcome;
  const leftMs = (ticket.undoUntilMs ?? 0) - view.nowMs;
  if (leftMs <= 0) return undefined;
  return {
    action: context.addresses.to('/device/undo'),
    fields: { ticket: written, token: context.forms.token(UNDO, undoFacts(outcome)) },
    seconds: Math.ceil(leftMs / 1000),
    until: language.clock(ticket.undoUntilMs ?? 0, { hasSeconds: true }),
  };
}

export function isUndoToken(context: PageContext, outcome: Outcome, token: string | undefined): boolean {
  return context.forms.isToken(UNDO, undoFacts(outcome), token);
}

function undoFacts({ browser, ticket }: Outcome): string[] {
  return [browser.reveal(), ticket.grant];
}

/** POST `/device/undo`: takes an approval back; what the device has got by then ends with it. */
export async function undo(context: PageContext, request: Request, response: Response): Promise<void> {
  const { deps, forms, addresses } = context;
  forms.requireOwnOrigin(request);
  const outcome = await outcomeOf(context, request, response, fieldOf(request.body, 'ticket')).catch(
    (error: unknown) => {
      if (!(error instanceof PageProblem) || error.kind !== 'no_session') throw error;
      throw new PageProblem('form_refused', { detail: error.detail ?? '' });
    },
  );
  if (!isUndoToken(context, outcome, fieldOf(request.body, 'token'))) {
    throw new PageProblem('form_refused', { detail: 'token of undo' });
  }
  const { view, ticket, state, written } = outcome;
  const isInTime = (ticket.undoUntilMs ?? 0) > view.nowMs;
  if (isInTime && (state === 'approved' || state === 'connected')) {
    const { id, clientId } = view.grant;
    if ((await endGrant(deps.grants, id, 'undo', latestEndMs(view.grant))).hasEnded) {
      deps.log.event('grant.undone', {
        requestId: requestIdOf(response),
        grant: logTag(id),
        client: clientId,
        upstream: ticket.upstream,
        source: deps.sourceOf(request),
      });
    }
  }
  response.redirect(303, addresses.to('/device/done', { ticket: written }));
}
