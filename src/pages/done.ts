import type { Request, Response } from 'express';
import type { GrantView } from '../grants/open-grant.ts';
import { fieldOf, type PageKit } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { type Standing, standingOf } from './standing.ts';
import type { DoneState } from './views.ts';

/** GET `/device/done`: what happened, and what to do now. It never goes on by itself (RFC 8628 §3.3). */
export async function showDone(kit: PageKit, request: Request, response: Response): Promise<void> {
  const written = fieldOf(request.query, 'ticket');
  const standing = await standingOf(kit, request, written);
  const { view, client, facts, ticket } = standing;
  if (view.state === 'pending') {
    if (ticket.arrival === undefined) throw new PageProblem('no_session', { detail: 'not decided yet' });
    return response.redirect(303, kit.addresses.to('/device/confirm', { ticket: written ?? '' }));
  }
  const state = doneState(view, standing);
  if (state === undefined) throw new PageProblem(facts === undefined ? 'ran_out' : 'ran_out_signed_in');
  const upstream = facts?.signIn.upstream ?? ticket.upstream;
  const page = kit.views.done(kit.frame(request, response), {
    state,
    client: client?.name ?? view.grant.clientId,
    account: facts?.signIn.account,
    upstream: upstream === undefined ? undefined : (kit.ground.upstreams.get(upstream)?.displayName ?? upstream),
    undo: undefined,
  });
  response.type('html').send(page);
}

function doneState(view: GrantView, { browserTag }: Standing): DoneState | undefined {
  const isMine = view.decidedBy === browserTag;
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
