import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import { diffNeedingRestart, withoutRestart } from '../../config/needs-restart.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { VERSION } from '../version.ts';
import { announce } from './announce.ts';
import { logAnnouncedEnds } from './announced-ends.ts';
import { closeServer } from './close-server.ts';
import { ListenError, listen } from './listen.ts';
import { logWarnings } from './log-warnings.ts';
import { openBroker, openLog, stopRefused } from './open-broker.ts';
import { createOperationsServer } from './operations-server.ts';
import { createPublicServer, renewCertificate } from './public-server.ts';
import type { ReadyLine } from './ready-line.ts';
import { type Reloading, reloadOnChange } from './reload.ts';
import { settledLater } from './settled-later.ts';
import { setV8Flags } from './v8-flags.ts';

const SECOND = 1000;

/**
 * One broker process: opens its resources in order, listens, and on SIGTERM or SIGINT closes them in reverse. Answers
 * when it has stopped, with the exit code.
 *
 * @throws {StorageRefusedError} when the storage must not be used as it is set up
 * @throws {SelfTestError} when this Node does not do what a sign-in needs
 */
export async function serve(config: Config, ready: ReadyLine = 'text'): Promise<number> {
  setV8Flags();
  const logger = openLog(config);
  logWarnings(config, logger);
  const { promise: stopped, settle: stop } = settledLater<number>();
  const metrics = createMetrics({
    version: VERSION,
    logLinesLost: () => logger.linesLost(),
    pendingGrants: () => broker.countPending(),
    sessionsAlive: () => broker.countSessions(),
  });
  const { storage, broker } = await openBroker(config, { logger, metrics, onRefused: stopRefused(stop) });
  const audit = broker.processContext.logger;
  let isDraining = false;

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isDraining) response.setHeader('Connection', 'close');
    broker.handle(request, response);
  };
  const server = createPublicServer(handle, broker.unreadable, config.listen.tls);
  // A call may come as soon as somebody listens.
  const { promise: reloadingBegun, settle: begun } = settledLater<Reloading>();
  const operations = createOperationsServer(config, {
    version: VERSION,
    isDraining: () => isDraining,
    reload: async () => (await reloadingBegun).now(),
    broker: () => broker,
    missing: () => broker.missing(),
    metrics,
    logger,
  });
  try {
    await listen(server, config.listen);
    if (config.operations !== undefined) await listen(operations, config.operations);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    await Promise.all([closeServer(server), closeServer(operations)]);
    await storage.close();
    await audit.flush();
    complain('start', `${config.file}: ${error.message}`);
    return EXIT.failed;
  }
  const reloadable = {
    needsRestart: (next: Config) => diffNeedingRestart(config, next),
    reload(read: Config) {
      const next = withoutRestart(config, read);
      broker.reload(next);
      if (next.listen.tls !== undefined) renewCertificate(server, next.listen.tls);
    },
  };
  const reloading = await reloadOnChange(config, reloadable, { logger: audit, metrics });
  begun(reloading);

  const stopAnnouncing = await announce(ready, config.publicUrl, storage);
  const { publicUrl, file } = config;
  logger.event('process.started', { publicUrl, storage: storage.kind, file, version: VERSION, pid: process.pid });
  const stopReading = logAnnouncedEnds(() => broker, logger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      isDraining = true;
      const { drainSeconds } = reloading.inForce();
      logger.event('process.draining', { seconds: drainSeconds });
      setTimeout(() => stop(EXIT.done), drainSeconds * SECOND);
    });
  }

  const exitCode = await stopped;
  stopAnnouncing();
  stopReading();
  reloading.stop();
  await Promise.all([closeServer(server), closeServer(operations)]);
  await storage.close();
  logger.event('process.stopped');
  await broker.close();
  return exitCode;
}
