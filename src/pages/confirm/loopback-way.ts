import type { Request } from 'express';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { GrantView } from '../../grants/view-grant.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { Requester } from '../../safeguards/requester.ts';
import { confirmationAtStart } from '../../safeguards/same-device.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import type { DoneTicket } from '../sign-in/ticket.ts';
import type { LoopbackWay } from './confirm-locals.ts';

/**
 * How far the browser is on its way to the listener on the device's machine (docs/protocol/same-device-proof.md), as
 * the done page's address says. An address without a step shows the digits: only who comes back has one, since the
 * browser's own "back" leads from an error over the confirm page to it.
 *
 * - `go`: leads there by itself.
 * - `ask`: has the link, and waits.
 * - `told`: the listener has sent the browser back.
 */
export type LoopbackStep = 'go' | 'ask' | 'told';

const STEP = 'loopback';

/** Whether the confirm page says that the device claims to be here. */
export function isLoopbackAsked({ safeguards }: RegisteredClient, { confirmation }: Grant): boolean {
  return confirmationAtStart(safeguards, confirmation) === 'loopback';
}

/**
 * Where an approval leads. By itself only where a listener is likely: a browser that finds none shows an error, with the
 * proof in its address, which is what somebody on the telephone would ask for.
 */
export function firstStep({ headers }: Request, { from }: Requester): LoopbackStep {
  const isHandheld =
    headers['sec-ch-ua-mobile'] === '?1' || /\b(Android|iPhone|iPad|Mobile)\b/.test(headers['user-agent'] ?? '');
  return from.place === 'same_network' && !isHandheld ? 'go' : 'ask';
}

export function doneAddress({ addresses }: PageContext, ticket: string, step?: LoopbackStep): string {
  return addresses.to('/device/done', { ticket, ...(step !== undefined && { [STEP]: step }) });
}

/** The way there; `undefined` once it was gone, or given up for the digits. */
export function loopbackWay(
  context: PageContext,
  request: Request,
  { ticket, view, written }: { ticket: DoneTicket; view: GrantView; written: string },
): LoopbackWay | undefined {
  const step = stepOf(request);
  const { loopback } = view.grant;
  if (ticket.confirmationProof === undefined || loopback === undefined) return undefined;
  if (step !== 'go' && step !== 'ask') return undefined;
  // The host is ours to say: no device can have a browser sent anywhere else with a proof.
  const address = new URL(`http://127.0.0.1:${loopback.port}/${loopback.path}`);
  address.searchParams.set('proof', ticket.confirmationProof);
  address.searchParams.set('return_uri', context.addresses.origin + doneAddress(context, written, 'told'));
  return { address: address.href, digits: doneAddress(context, written), goesOn: step === 'go' };
}

export function showsDigits(request: Request): boolean {
  return stepOf(request) === undefined;
}

function stepOf({ query }: Request): LoopbackStep | undefined {
  const step = fieldOf(query, STEP);
  return step === 'go' || step === 'ask' || step === 'told' ? step : undefined;
}
