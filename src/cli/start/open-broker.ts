import { type Broker, createBroker } from '../../broker/broker.ts';
import type { Config } from '../../config/config.ts';
import { openStorage } from '../../storage/open-storage.ts';
import type { Storage } from '../../storage/storage.ts';
import type { LogDestination } from '../../telemetry/log-destination.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { EXIT } from '../exit-codes.ts';

/** The log of this process. What nobody caught is its last line. */
export function openLog({ log }: Config, destination?: LogDestination): Logger {
  const logger = createLogger(log, destination);
  process.once('uncaughtException', (error) => {
    logger.event('process.fault', { error });
    void logger.flush().then(() => process.exit(EXIT.fault));
  });
  return logger;
}

/** Ends a process that must not go on as it is set up, and says why. */
export function stopRefused(stop: (exitCode: number) => void): (error: Error) => void {
  return (error) => {
    process.stderr.write(`${error.message}\n`);
    stop(EXIT.config);
  };
}

export interface OpenBroker {
  storage: Storage;
  broker: Broker;
}

export interface OpenBrokerDeps {
  logger: Logger;
  metrics: Metrics;
  /** The storage must not be used any more, or keys that were made turn out not to sign here. */
  onRefused: (error: Error) => void;
}

/**
 * @throws {StorageRefusedError} when the storage must not be used as it is set up
 * @throws {SelfTestError} when this Node does not do what a sign-in needs
 */
export async function openBroker(config: Config, { logger, metrics, onRefused }: OpenBrokerDeps): Promise<OpenBroker> {
  const storage = await openStorage(config.storage, { logger, onRefused });
  const broker = await createBroker({ config, storage, logger, metrics }).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
  broker.tested.catch(onRefused);
  return { storage, broker };
}
