import type { Request, Response } from 'express';
import { findByUserCode, markOpened } from '../grants/open-grant.ts';
import { browserTag } from '../grants/trip.ts';
import { formatUserCode, NUMERIC, normaliseUserCode } from '../grants/user-code.ts';
import type { EntryVerdict } from '../limits/code-entry-limits.ts';
import { browserOf, newBrowserValue, renewBrowserSession } from './browser-session.ts';
import { fieldOf, type PageKit, requestIdOf } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { writeTicket } from './ticket.ts';

const FORM = 'enter code';
const LONGEST_SHOWN = 64;

interface Shown {
  code: string;
  prefilled: string;
  problem?: 'wrong';
}

/** GET `/device`: `?user_code=` only fills in the form; a person still acts (RFC 8628 §3.3.1). */
export function showCodeForm(kit: PageKit, request: Request, response: Response): void {
  const typed = fieldOf(request.query, 'user_code')?.slice(0, LONGEST_SHOWN) ?? '';
  const { userCodes } = kit.ground.grants;
  const code = normaliseUserCode(typed, userCodes);
  const shown = code === undefined ? typed : formatUserCode(code, userCodes.group);
  render(kit, request, response, 200, { code: shown, prefilled: code ?? '' });
}

/** POST `/device`: a wrong, an expired and a used code get the same answer, since a guesser would learn from another. */
export async function enterCode(kit: PageKit, request: Request, response: Response): Promise<void> {
  const { ground, forms, addresses } = kit;
  forms.requireOwnOrigin(request);
  const visitor = forms.requireVisitor(request);
  const prefilled = forms.requireVisitorToken(visitor, FORM, fieldOf(request.body, 'token'));
  const source = ground.sourceOf(request);
  const nowMs = await ground.grants.ledger.now();
  const entry = await ground.codeEntryLimits.mayEnter({ source, browser: visitorTag(kit, visitor), nowMs });
  if (entry.verdict === 'refused') throw tooManyTries(kit, entry, source, response);

  const typed = fieldOf(request.body, 'user_code') ?? '';
  const browser = browserOf(request) ?? newBrowserValue(ground.grants.randomBytes);
  const tag = browserTag(ground.grants, browser);
  const view = await findByUserCode(ground.grants, typed, tag);
  const client = view === undefined ? undefined : ground.clients.get(view.grant.clientId);
  if (view === undefined || client === undefined) {
    const code = normaliseUserCode(typed, ground.grants.userCodes);
    ground.log.event('code.wrong', {
      requestId: requestIdOf(response),
      source,
      code: code === undefined ? undefined : ground.grants.sealing.tag('log', code),
    });
    return render(kit, request, response, 400, { code: typed.slice(0, LONGEST_SHOWN), prefilled, problem: 'wrong' });
  }

  if (entry.verdict === 'allowed') await entry.wasRight();
  const { grant } = view;
  await renewBrowserSession(request, browser, grant.keptUntilMs - view.nowMs);
  await markOpened(ground.grants, grant, tag);
  ground.log.event(view.openElsewhere ? 'grant.opened_again' : 'grant.opened', {
    requestId: requestIdOf(response),
    grant: grant.id,
    client: grant.clientId,
    source,
    code: ground.grants.sealing.tag('log', grant.userCodeTag),
  });
  const userCode = normaliseUserCode(typed, ground.grants.userCodes) ?? '';
  const ticket = await writeTicket(ground.grants.sealing, browser, 'sign-in', {
    grant: grant.id,
    userCode,
    codePrefilled: prefilled === userCode,
  });
  response.redirect(303, addresses.to('/device/sign-in', { ticket }));
}

/** The browser that the limits count by, before there is a browser session. */
function visitorTag({ ground }: PageKit, visitor: string): string {
  return ground.grants.sealing.tag('visitor', visitor);
}

function tooManyTries(
  { ground }: PageKit,
  { limit, retryAfterSeconds }: EntryVerdict & { verdict: 'refused' },
  source: string,
  response: Response,
): PageProblem {
  ground.log.event('limit.reached', { requestId: requestIdOf(response), limit, source });
  return new PageProblem('too_many_tries', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    words: { minutes: Math.max(1, Math.ceil(retryAfterSeconds / 60)) },
  });
}

function render(kit: PageKit, request: Request, response: Response, status: number, shown: Shown): void {
  const { addresses, forms, ground, views } = kit;
  const frame = kit.frame(
    request,
    response,
    addresses.to('/device', shown.code === '' ? {} : { user_code: shown.code }),
  );
  const visitor = forms.visitor(request, response);
  const page = views.enterCode(frame, {
    action: addresses.to('/device'),
    fields: { token: forms.visitorToken(visitor, FORM, shown.prefilled) },
    code: shown.code,
    isPrefilled: shown.prefilled !== '' && shown.problem === undefined,
    isNumeric: ground.grants.userCodes.alphabet === NUMERIC,
    problem: shown.problem,
  });
  response.status(status).type('html').send(page);
}
