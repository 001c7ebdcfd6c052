import type { Request, Response } from 'express';
import { endGrant } from '../../grants/end-grant.ts';
import { latestEndMs } from '../../grants/retention.ts';
import { logTag } from '../../telemetry/log-tag.ts';
import { fieldOf, type PageContext, requestIdOf } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { isUndoToken, outcomeOf } from './done.ts';

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
