import type { LogEventName, LogFieldsOf } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What the counters look at in a line of the log; each of these is a closed list, or from the configuration. */
interface Counted {
  client?: string;
  upstream?: string;
  limit?: string;
  purpose?: string;
  fault?: string;
  reason?: string;
  by?: string;
  signal?: readonly string[];
}

/** What happens at the people door, as counters: the pages log each step and each limit once, and so it is counted. */
export function watchPeople({ logger, metrics }: { logger: Logger; metrics: Metrics }): Pick<Logger, 'event'> {
  return {
    event<Name extends LogEventName>(name: Name, fields: LogFieldsOf<Name> = {}) {
      logger.event(name, fields);
      count(metrics, name, fields as Counted);
    },
  };
}

function count(metrics: Metrics, name: LogEventName, fields: Counted): void {
  const { client, upstream = '', limit, purpose = 'approve', fault = 'unknown', reason = 'unknown', by } = fields;
  const { signal = [] } = fields;
  switch (name) {
    case 'limit.reached':
      if (limit !== undefined) metrics.limitReached(limit);
      return;
    case 'sign_in.finished':
      metrics.signInEnded(upstream, purpose, 'signed_in');
      return;
    case 'sign_in.failed':
      metrics.signInEnded(upstream, purpose, 'failed', fault);
      if (fault === 'client_rejected') metrics.upstreamRejected(upstream);
      return;
    case 'account.refused':
    case 'account.undecided':
      metrics.signInEnded(upstream, purpose, 'refused', reason);
      return;
    case 'grant.opened':
      for (const each of signal) metrics.signalRaised(each, 'opened');
      return;
    case 'grant.opened_again':
      metrics.signalRaised('open_elsewhere', 'opened');
      return;
    case 'campaign.noticed':
      metrics.signalRaised('campaign', 'signed_in');
      return;
    case 'grant.approved':
      metrics.grantDecided(client, upstream, 'approved');
      for (const each of signal) metrics.signalRaised(each, 'approved');
      return;
    case 'grant.denied':
      metrics.grantDecided(client, upstream, 'denied');
      for (const each of signal) metrics.signalRaised(each, 'denied');
      if (by === 'upstream') metrics.signInEnded(upstream, purpose, 'failed', 'access_denied');
      return;
    case 'session.ended':
      metrics.sessionEnded(client, reason);
      return;
    default:
  }
}
