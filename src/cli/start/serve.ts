import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Broker, createBroker } from '../../broker/broker.ts';
import type { Config } from '../../config/config.ts';
import { formatProblem } from '../../config/config-error.ts';
import { foreignToListener } from '../../network/requested-host.ts';
import { openStorage } from '../../storage/open-storage.ts';
import type { Storage } from '../../storage/storage.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createOperations } from '../../telemetry/operations-listener.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { VERSION } from '../version.ts';
import { ListenError, listen } from './listen.ts';
import { createPublicServer, renewCertificate } from './public-server.ts';
import { type ReadyLine, readyLine } from './ready-line.ts';
import { type Reloading, reloadOnChange } from './reload.ts';
import { setV8Flags } from './v8-flags.ts';

const SECOND = 1000;

/** How long what is still running after the drain may take, before the process leaves it. */
const FINISH_MS = 5 * SECOND;

/** How often it is looked for what administrators' commands have ended. */
const ANNOUNCED_EVERY_MS = 2 * SECOND;

/**
 * One broker process: opens its resources in order, listens, and on SIGTERM or SIGINT closes them in reverse. Answers
 * when it has stopped, with the exit code.
 *
 * @throws {StorageRefusedError} when the storage must not be used as it is set up
 * @throws {SelfTestError} when this Node does not do what a sign-in needs
 */
export async function serve(config: Config, ready: ReadyLine = 'text'): Promise<number> {
  setV8Flags();
  const logger = createLogger(config.log);
  process.once('uncaughtException', (error) => {
    logger.event('process.fault', { error });
    void logger.flush().then(() => process.exit(EXIT.fault));
  });
  for (const warning of config.warnings) {
    logger.event('config.warning', { file: config.file, detail: formatProblem(warning) });
  }
  let stop: (exitCode: number) => void = () => {};
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  const refuse = (error: Error): void => {
    process.stderr.write(`${error.message}\n`);
    stop(EXIT.config);
  };
  const storage = await openStorage(config.storage, { logger, onRefused: refuse });
  const metrics = createMetrics({
    version: VERSION,
    logLinesLost: () => logger.linesLost(),
    pendingGrants: () => broker.countPending(),
  });
  const broker: Broker = await createBroker({ config, storage, logger, metrics }).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
  broker.tested.catch(refuse);
  const audit = broker.processContext.logger;
  let isDraining = false;

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isDraining) response.setHeader('Connection', 'close');
    broker.handle(request, response);
  };
  const server = createPublicServer(handle, broker.unreadable, config.listen.tls);
  // A call may come as soon as somebody listens.
  let begun: (reloading: Reloading) => void = () => {};
  const reloadingBegun = new Promise<Reloading>((resolve) => {
    begun = resolve;
  });
  const operations = createServer(
    createOperations({
      ...broker.operations({
        version: VERSION,
        isDraining: () => isDraining,
        reload: async () => (await reloadingBegun).now(),
      }),
      async isReady() {
        const reasons = [...(await broker.missing()), ...(isDraining ? ['draining'] : [])];
        return { ready: reasons.length === 0, reasons };
      },
      metrics,
      logger,
      isForeignHost: config.operations && foreignToListener(config.operations.host),
    }),
  );
  try {
    await listen(server, config.listen);
    if (config.operations !== undefined) await listen(operations, config.operations);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    await Promise.all([close(server), close(operations)]);
    await storage.close();
    await audit.flush();
    complain('start', `${config.file}: ${error.message}`);
    return EXIT.failed;
  }
  const inForce = {
    reload(next: Config) {
      broker.reload(next);
      if (next.listen.tls !== undefined) renewCertificate(server, next.listen.tls);
    },
  };
  const reloading = await reloadOnChange(config, inForce, { logger: audit, metrics });
  begun(reloading);

  const { publicUrl } = config;
  const announce = (isReady: boolean) => process.stdout.write(readyLine(ready, { publicUrl, isReady }));
  const isReady = await storage.isReady();
  announce(isReady);
  const waiting = isReady ? undefined : announceWhenReady(storage, () => announce(true));
  const { file } = config;
  logger.event('process.started', { publicUrl, storage: storage.kind, file, version: VERSION, pid: process.pid });
  const announced = setInterval(() => {
    broker.logAnnouncedEnds().catch((error: unknown) => logger.event('process.fault', { error }));
  }, ANNOUNCED_EVERY_MS);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      isDraining = true;
      const { drainSeconds } = reloading.inForce();
      logger.event('process.draining', { seconds: drainSeconds });
      setTimeout(() => stop(EXIT.done), drainSeconds * SECOND);
    });
  }

  const exitCode = await stopped;
  clearInterval(waiting);
  clearInterval(announced);
  reloading.stop();
  await Promise.all([close(server), close(operations)]);
  await storage.close();
  logger.event('process.stopped');
  await broker.close();
  return exitCode;
}

/** Redis away at the start is no fault; who waits for the line that says "ready" is told when that is so. */
function announceWhenReady(storage: Storage, announce: () => void): NodeJS.Timeout {
  let isAnnounced = false;
  const timer = setInterval(() => {
    void storage.isReady().then((isReady) => {
      if (!isReady || isAnnounced) return;
      isAnnounced = true;
      clearInterval(timer);
      announce();
    });
  }, SECOND / 2);
  return timer;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const giveUp = setTimeout(() => server.closeAllConnections(), FINISH_MS);
    server.close(() => {
      clearTimeout(giveUp);
      resolve();
    });
    server.closeIdleConnections();
  });
}
