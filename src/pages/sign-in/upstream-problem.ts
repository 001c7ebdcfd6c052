import { RETRY_LATER } from '../../oauth/oauth-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Upstream, UpstreamError, type UpstreamFault } from '../../upstream/upstream.ts';
import { PageProblem, type PageProblemKind } from '../frame/page-problem.ts';

/** What a person reads when the upstream is in trouble: our own words for each fault, never the upstream's. */
const PROBLEMS: Record<UpstreamFault, PageProblemKind> = {
  access_denied: 'upstream_not_signed_in',
  invalid_grant: 'upstream_not_signed_in',
  refresh_refused: 'upstream_not_signed_in',
  not_signed_in: 'upstream_not_signed_in',
  client_rejected: 'upstream_rejects_us',
  sign_in_refused: 'upstream_refuses',
  unavailable: 'upstream_away',
  clock_differs: 'upstream_clock',
  invalid_answer: 'upstream_garbled',
  too_weak: 'upstream_too_weak',
};

/** Nobody who signs in can mend these. */
const FOR_ADMINISTRATORS: readonly UpstreamFault[] = ['client_rejected', 'sign_in_refused', 'clock_differs'];

export interface FailedTrip {
  upstream: Pick<Upstream, 'id' | 'displayName'>;
  again: string;
  requestId: string;
  grant?: string | undefined;
  client?: string | undefined;
  purpose?: string;
  source: string;
}

export function upstreamProblemKind(fault: UpstreamFault): PageProblemKind {
  return PROBLEMS[fault];
}

/** The upstream's own `access_denied`: the one fault that is an answer. */
export function isRefusal(error: unknown): boolean {
  return error instanceof UpstreamError && error.fault === 'access_denied';
}

/** Logs what went wrong and gives the page for it; an error that is not the upstream's is given back as it is. */
export function upstreamProblem(log: Pick<Logger, 'event'>, error: unknown, trip: FailedTrip): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const { upstream, again, requestId, grant, client, purpose = 'approve', source } = trip;
  const { fault, detail } = error;
  log.event('sign_in.failed', { requestId, grant, client, upstream: upstream.id, purpose, fault, detail, source });
  if (FOR_ADMINISTRATORS.includes(fault)) log.event('upstream.rejected', { requestId, upstream: upstream.id, detail });
  if (fault === 'unavailable') log.event('upstream.unavailable', { requestId, upstream: upstream.id, fault, detail });
  return new PageProblem(PROBLEMS[fault], {
    again,
    words: { upstream: upstream.displayName },
    ...(fault === 'unavailable' && { headers: RETRY_LATER }),
    cause: error,
  });
}
