import type { LogEventName, LogFieldsOf } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What happens at the people door, as counters: the pages log each decision and each limit once, and so it is counted. */
export function watchPeople({ logger, metrics }: { logger: Logger; metrics: Metrics }): Pick<Logger, 'event'> {
  return {
    event<Name extends LogEventName>(name: Name, fields: LogFieldsOf<Name> = {}) {
      logger.event(name, fields);
      const { client, upstream = '', limit } = fields as { client?: string; upstream?: string; limit?: string };
      if (name === 'limit.reached' && limit !== undefined) metrics.limitReached(limit);
      if (name === 'grant.approved') metrics.grantDecided(client, upstream, 'approved');
      if (name === 'grant.denied') metrics.grantDecided(client, upstream, 'denied');
    },
  };
}
