import type { Broker } from '../../../broker/broker.ts';
import type { Config } from '../../../config/config.ts';
import { diffNeedingRestart } from '../../../config/needs-restart.ts';
import { type OpenBrokerDeps, openBroker } from '../open-broker.ts';

/** The broker of the process above the workers: for operators, and for what is done once. */
export interface BrokerAbove {
  broker(): Broker;
  storage(): { isReady(): Promise<boolean> };
  /** Brings another configuration into force in it, also one that a running broker cannot take. */
  replace(before: Config, next: Config): Promise<void>;
  /** @param beforeLogCloses the last that is logged */
  close(beforeLogCloses?: () => void): Promise<void>;
}

export async function openBrokerAbove(config: Config, deps: OpenBrokerDeps): Promise<BrokerAbove> {
  let open = await openBroker(config, deps);
  return {
    broker: () => open.broker,
    storage: () => ({ isReady: () => open.storage.isReady() }),
    async replace(before, next) {
      if (diffNeedingRestart(before, next).length === 0) return open.broker.reload(next);
      const old = open;
      // First: the chain of audit lines is one a process, and the new broker begins its own.
      await old.broker.close();
      open = await openBroker(next, deps);
      await old.storage.close();
    },
    async close(beforeLogCloses) {
      await open.storage.close();
      beforeLogCloses?.();
      await open.broker.close();
    },
  };
}
