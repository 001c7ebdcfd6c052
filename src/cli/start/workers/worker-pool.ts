import type { Config } from '../../../config/config.ts';
import { createEndedMetrics } from '../../../telemetry/ended-metrics.ts';
import type { PatientLogDestination } from '../../../telemetry/log-destination.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { ProcessMetrics } from '../../../telemetry/prometheus-text.ts';

import { createBackOff } from './back-off.ts';
import type { Asked, Question } from './messages.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

export interface WorkerPoolDeps {
  logger: Pick<Logger, 'event'>;
  log: PatientLogDestination;
  /** One ended without being asked to. */
  onLost: () => void;
  /** The last one did, and nobody listens any more. */
  onAllLost: () => void;
  start?: (config: Config, log: PatientLogDestination) => WorkerProcess;
}

/** The workers of one installation: as many as the configuration says, whatever ends them. */
export interface WorkerPool {
  /** @throws {WorkerFailedError} */
  start(config: Config): Promise<void>;
  /** Puts new ones in the place of all, one after the other, each before the old one goes. @throws {WorkerFailedError} */
  replaceAll(config: Config): Promise<void>;
  /** Brings what needs no new process into force in each. */
  reload(config: Config): Promise<void>;
  serving(): number;
  /** What keeps them from being sent traffic: all must have served once, and one must now. */
  missing(): Promise<string[]>;
  ask<Name extends Question>(question: Name): Promise<Asked[Name][]>;
  /** What they have counted, and those before them. */
  metrics(): Promise<ProcessMetrics[]>;
  /** Ends when all have ended. */
  drain(seconds: number): Promise<void>;
}

/** After the drain: what still runs, and the last audit events. */
const FINISH_MS = 15_000;

interface Place {
  worker: WorkerProcess;
  backOff: ReturnType<typeof createBackOff>;
  timer?: NodeJS.Timeout;
}

export function createWorkerPool(deps: WorkerPoolDeps): WorkerPool {
  const { logger, log, onLost, onAllLost, start = startWorker } = deps;
  /** Also those that only finish what they have. */
  const alive = new Set<WorkerProcess>();
  const places: Place[] = [];
  const ended = createEndedMetrics();
  let inForce: Config;
  let haveAllServed = false;
  let isStopping = false;

  function startOne(config: Config): WorkerProcess {
    const worker = start(config, log);
    alive.add(worker);
    void worker.ended.then((ending) => {
      ended.add(worker.lastMetrics());
      alive.delete(worker);
      const place = places.find((each) => each.worker === worker);
      if (isStopping || place === undefined) return;
      const delayMs = place.backOff.next(Date.now() - worker.startedAtMs);
      onLost();
      const how = ending.signal ?? `exit code ${ending.code}`;
      logger.event('worker.lost', { pid: worker.pid, detail: how, seconds: delayMs / 1000 });
      if (alive.size === 0) onAllLost();
      place.timer = setTimeout(() => {
        place.worker = startOne(inForce);
      }, delayMs);
    });
    return worker;
  }

  /** @throws {WorkerFailedError} */
  async function startServing(config: Config): Promise<WorkerProcess> {
    const worker = startOne(config);
    try {
      await worker.serving;
      return worker;
    } catch (error) {
      worker.kill();
      throw error;
    }
  }

  async function replaceAll(next: Config): Promise<void> {
    // They had all the time since the last replacement.
    for (const worker of alive) if (!places.some((place) => place.worker === worker)) worker.drain(0);
    for (let index = 0; index < next.workers && !isStopping; index += 1) {
      const worker = await startServing(next);
      // The first has shown that it can be served with; from here on there is no way back.
      inForce = next;
      const place = places[index];
      if (place === undefined) places.push({ worker, backOff: createBackOff() });
      else {
        clearTimeout(place.timer);
        const old = place.worker;
        place.worker = worker;
        old.retire();
      }
    }
    for (const place of places.splice(next.workers)) {
      clearTimeout(place.timer);
      place.worker.retire();
    }
  }

  async function ask<Name extends Question>(question: Name): Promise<Asked[Name][]> {
    const answers = await Promise.all([...alive].map((worker) => worker.ask(question)));
    return answers.filter((answer) => answer !== undefined);
  }

  const serving = () => places.filter(({ worker }) => worker.isServing()).length;

  return {
    async start(config) {
      inForce = config;
      for (let index = 0; index < config.workers; index += 1) {
        places.push({ worker: startOne(config), backOff: createBackOff() });
      }
      try {
        await Promise.all(places.map(({ worker }) => worker.serving));
      } catch (error) {
        isStopping = true;
        throw error;
      }
      haveAllServed = true;
    },
    replaceAll,
    async reload(next) {
      inForce = next;
      // One that cannot take it has ended, and its successor begins with it.
      await Promise.allSettled(
        places.map(async ({ worker }) => {
          await worker.serving;
          await worker.reload(next);
        }),
      );
    },
    serving,
    async missing() {
      const count = serving();
      if (!haveAllServed || count === 0) return [`${count} of ${inForce.workers} workers serve`];
      return [...new Set((await ask('missing')).flat())];
    },
    ask,
    async metrics() {
      await ask('metrics');
      return [...ended.all(), ...[...alive].map((worker) => worker.lastMetrics())];
    },
    async drain(seconds) {
      isStopping = true;
      for (const place of places) clearTimeout(place.timer);
      for (const worker of alive) worker.drain(seconds);
      const tooLate = setTimeout(
        () => {
          for (const worker of alive) worker.kill();
        },
        seconds * 1000 + FINISH_MS,
      );
      await Promise.all([...alive].map((worker) => worker.ended));
      clearTimeout(tooLate);
    },
  };
}
