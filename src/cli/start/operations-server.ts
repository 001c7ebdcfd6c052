import { createServer, type Server } from 'node:http';
import type { Broker } from '../../broker/broker.ts';
import type { ProcessFacts } from '../../broker/operations-app.ts';
import type { Config } from '../../config/config.ts';
import { foreignToListener } from '../../network/requested-host.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createOperations } from '../../telemetry/operations-listener.ts';

export interface OperationsServerDeps extends Pick<ProcessFacts, 'version' | 'isDraining' | 'overview' | 'reload'> {
  /** What is in force now, whatever was when the listener began. */
  broker: () => Broker;
  /** What keeps it from being sent traffic, besides its end. */
  missing: () => Promise<readonly string[]>;
  metrics: Pick<Metrics, 'text'>;
  logger: Logger;
}

/** The server that operators and their machines come to. */
export function createOperationsServer({ operations }: Config, deps: OperationsServerDeps): Server {
  const { broker, missing, metrics, logger, ...facts } = deps;
  let known: { of: Broker; app: ReturnType<Broker['operations']> } | undefined;
  const app = () => {
    if (known?.of !== broker()) known = { of: broker(), app: broker().operations(facts) };
    return known.app;
  };
  return createServer(
    createOperations({
      pages: new Map([...app().pages.keys()].map((path) => [path, () => pageAt(path)])),
      admin: () => app().admin(),
      async isReady() {
        const reasons = [...(await missing()), ...(facts.isDraining() ? ['draining'] : [])];
        return { ready: reasons.length === 0, reasons };
      },
      metrics,
      logger,
      isForeignHost: operations && foreignToListener(operations.host),
    }),
  );

  async function pageAt(path: string) {
    const page = app().pages.get(path);
    if (page === undefined) throw new Error(`there is no page ${path}`);
    return page();
  }
}
