import { setTimeout as wait } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { type BrowserValue, openArrival, type Trip, VISIT_MS } from '../../grants/decide/trip.ts';
import { viewGrant } from '../../grants/view-grant.ts';
import { toVisitedCode } from '../code/finish-enter-sign-in.ts';
import { toDevices } from '../devices/finish-manage-sign-in.ts';
import { renewBrowserSession } from '../frame/browser-session.ts';
import type { PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { writeTicket } from './ticket.ts';

/** An answer that was brought before, in the browser that it belongs to. */
export interface RepeatedCallback {
  request: Request;
  response: Response;
  browser: BrowserValue;
  trip: Trip;
  tag: string;
  again: string;
  takenAtMs: number;
}

const SECOND = 1000;
/** The one that took the trip asks the upstream meanwhile; this is as long as that takes at most by default, and a bit. */
const WAITED_FOR_MS = 12 * SECOND;
const LOOK_AGAIN_MS = 100;

/**
 * Leads a browser that brings an answer again to where the first one leads: some load a page in advance, or twice. It
 * counts nothing and asks the upstream nothing. Each of these requests has a new id of the browser session, since nobody
 * knows whose answer the browser will look at.
 */
export async function repeatCallback(context: PageContext, back: RepeatedCallback): Promise<void> {
  const { request, response, browser, trip, tag, again, takenAtMs } = back;
  const { grants } = context.deps;
  const { grant } = trip;
  for (;;) {
    const view = grant && (await viewGrant(grants, grant.id, context.forms.visitorTag(request)));
    if (grant !== undefined && view !== undefined && view.state !== 'pending' && view.state !== 'expired') {
      await renewBrowserSession(request, browser);
      const done = await writeTicket(grants.sealing, browser, 'done', { grant: grant.id, upstream: trip.upstream });
      return response.redirect(303, context.addresses.to('/device/done', { ticket: done }));
    }
    if ((await openArrival(grants, browser, tag, grant?.id)) !== undefined) break;
    if ((await grants.ledger.now()) - takenAtMs > WAITED_FOR_MS) {
      throw new PageProblem('sign_in_used', { detail: 'the first of these answers came to nothing', again });
    }
    await wait(LOOK_AGAIN_MS);
  }
  await renewBrowserSession(request, browser, grant === undefined ? VISIT_MS : 0);
  if (trip.purpose === 'manage') return toDevices(context, back);
  if (trip.purpose === 'enter') return toVisitedCode(context, back);
  const ticket = await writeTicket(grants.sealing, browser, 'confirm', { grant: grant?.id ?? '', arrival: tag });
  response.redirect(303, context.addresses.to('/device/confirm', { ticket }));
}
