import type { Config } from '../../../config/config.ts';
import {
  diffNeedingRestart,
  diffNeedingRestartAboveWorkers,
  withoutRestartAboveWorkers,
} from '../../../config/needs-restart.ts';
import { HANDED_OVER } from '../../../config/read/read-listen.ts';
import { openLogDestination } from '../../../telemetry/log-destination.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { createMetrics } from '../../../telemetry/metrics.ts';
import { summedOverview } from '../../../telemetry/summed-overview.ts';
import { complain } from '../../complain.ts';
import { EXIT } from '../../exit-codes.ts';
import { VERSION } from '../../version.ts';
import { announce } from '../announce.ts';
import { logAnnouncedEnds } from '../announced-ends.ts';
import { closeServer } from '../close-server.ts';
import { ListenError, listen, prepareToListen } from '../listen.ts';
import { logWarnings } from '../log-warnings.ts';
import { openLog, stopRefused } from '../open-broker.ts';
import { createOperationsServer } from '../operations-server.ts';
import type { ReadyLine } from '../ready-line.ts';
import { type Reloading, reloadOnChange } from '../reload.ts';
import { settledLater } from '../settled-later.ts';
import { openBrokerAbove } from './broker-above.ts';
import { createWorkerPool } from './worker-pool.ts';
import { WorkerFailedError } from './worker-process.ts';

const STDERR = 2;

/**
 * The process above the workers. It reads the configuration and takes the signals, answers operators, writes the log of
 * all, does what is done once whatever their number, and never serves a device or a person itself.
 *
 * @throws {StorageRefusedError} when the storage must not be used as it is set up
 * @throws {SelfTestError} when this Node does not do what a sign-in needs
 */
export async function serveByWorkers(config: Config, ready: ReadyLine = 'text'): Promise<number> {
  let isAskedToReload = false;
  // For the life of the process: without a listener the signal ends it, and all workers with it.
  process.on('SIGHUP', () => {
    isAskedToReload = true;
  });
  const log = openLogDestination(STDERR);
  const logger = openLog(config, log);
  logWarnings(config, logger);
  const { promise: stopped, settle: stop } = settledLater<number>();
  const metrics = createMetrics({
    version: VERSION,
    logLinesLost: () => logger.linesLost(),
    pendingGrants: () => above.broker().countPending(),
    sessionsAlive: () => above.broker().countSessions(),
    workers: () => pool.serving(),
  });
  const above = await openBrokerAbove(config, { logger, metrics, onRefused: stopRefused(stop) });
  const pool = createWorkerPool({
    ...{ logger, log },
    onLost: () => metrics.workerEnded(),
    onHopeless(failed) {
      complain('start', `${config.file}: ${failed.message}`);
      stop(failed.exitCode);
    },
    onAllLost() {
      // The socket went with the last one that listened; only systemd can hand it over again.
      if (config.listen.socket === HANDED_OVER) stop(EXIT.fault);
    },
  });
  let isDraining = false;
  const { promise: reloadingBegun, settle: begun } = settledLater<Reloading>();
  const operations = createOperationsServer(config, {
    version: VERSION,
    isDraining: () => isDraining,
    overview: async () => summedOverview(metrics.overview(), await pool.ask('overview')),
    reload: async () => (await reloadingBegun).now(),
    broker: above.broker,
    missing: async () => [...new Set([...(await above.broker().missing()), ...(await pool.missing())])],
    metrics: { text: async () => metrics.textWith(await pool.metrics()) },
    logger,
  });
  let reloading: Reloading | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      isDraining = true;
      const drainSeconds = reloading?.inForce().drainSeconds ?? 0;
      logger.event('process.draining', { seconds: drainSeconds });
      reloading?.stop();
      void pool.drain(drainSeconds).then(() => stop(EXIT.done));
    });
  }
  try {
    await prepareToListen(config.listen);
    if (config.operations !== undefined) await listen(operations, config.operations);
    await pool.start(config);
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof WorkerFailedError)) throw error;
    await Promise.all([pool.drain(0), closeServer(operations)]);
    await above.close();
    if (isDraining) return EXIT.done;
    complain('start', `${config.file}: ${error.message}`);
    return error instanceof WorkerFailedError ? error.exitCode : EXIT.failed;
  }

  let inForce = config;
  const reloadable = {
    needsRestart: (next: Config) => diffNeedingRestartAboveWorkers(config, next),
    async reload(read: Config, isAsked: boolean) {
      const next = withoutRestartAboveWorkers(inForce, read);
      if (isAsked || diffNeedingRestart(inForce, next).length > 0) {
        await prepareToListen(next.listen);
        const count = await pool.replaceAll(next);
        await above.replace(inForce, next);
        inForce = next;
        logger.event('workers.replaced', { file: next.file, count });
      } else {
        above.broker().reload(next);
        await pool.reload(next);
        inForce = next;
      }
    },
  };
  const audit: Pick<Logger, 'event' | 'setLevel'> = {
    event: (...line) => above.broker().processContext.logger.event(...line),
    setLevel: (level) => logger.setLevel(level),
  };
  reloading = await reloadOnChange(config, reloadable, { logger: audit, metrics });
  begun(reloading);
  if (isDraining) reloading.stop();
  else if (isAskedToReload) void reloading.now();

  const stopAnnouncing = isDraining ? () => {} : await announce(ready, config.publicUrl, above.storage());
  const { publicUrl, file, storage } = config;
  logger.event('process.started', { publicUrl, storage: storage.driver, file, version: VERSION, pid: process.pid });
  const stopReading = logAnnouncedEnds(above.broker, logger);

  const exitCode = await stopped;
  stopAnnouncing();
  stopReading();
  reloading.stop();
  // Where it was not asked to stop they still serve.
  await Promise.all([pool.drain(0), closeServer(operations)]);
  await above.close(() => logger.event('process.stopped'));
  return exitCode;
}
