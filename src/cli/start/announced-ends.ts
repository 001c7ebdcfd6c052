import type { Broker } from '../../broker/broker.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** How often it is looked for what administrators' commands have ended. */
const EVERY_MS = 2000;

/** Answers what stops it. */
export function logAnnouncedEnds(broker: () => Pick<Broker, 'logAnnouncedEnds'>, logger: Logger): () => void {
  const timer = setInterval(() => {
    broker()
      .logAnnouncedEnds()
      .catch((error: unknown) => logger.event('process.fault', { error }));
  }, EVERY_MS);
  return () => clearInterval(timer);
}
