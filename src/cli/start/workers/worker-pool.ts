import type { Config } from '../../../config/config.ts';
import { createEndedMetrics } from '../../../telemetry/ended-metrics.ts';
import type { PatientLogDestination } from '../../../telemetry/log-destination.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { ProcessMetrics } from '../../../telemetry/prometheus-text.ts';
import { EXIT } from '../../exit-codes.ts';
import { createBackOff } from './back-off.ts';
import { endSilentWorkers } from './end-silent-workers.ts';
import type { Asked, Question } from './messages.ts';
import { startWorker, WorkerFailedError, type WorkerProcess } from './worker-process.ts';

export interface WorkerPoolDeps {
  logger: Pick<Logger, 'event'>;
  log: PatientLogDestination;
  /** One ended without being asked to. */
  onLost: () => void;
  /** The last one did, and nobody listens any more. */
  onAllLost: () => void;
  /** Nobody serves, and the last one said why it cannot: only a start of the whole may help. */
  onHopeless: (failed: WorkerFailedError) => void;
  start?: (config: Config, log: PatientLogDestination) => WorkerProcess;
}

/** The workers of one installation: as many as the configuration says, whatever ends them. */
export interface WorkerPool {
  /** @throws {WorkerFailedError} */
  start(config: Config): Promise<void>;
  /**
   * Puts new ones in the place of all, one after the other, each before the old one goes. Once the first serves the rest
   * follows, also where it takes several attempts. Answers how many have given way so far.
   *
   * @throws {WorkerFailedError} where none has, or it is stopping
   */
  replaceAll(config: Config): Promise<number>;
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

const ANSWER_WITHIN_MS = 2000;
/** Whoever asks for readiness often waits for a second only. */
const READY_WITHIN_MS = 800;

/** What a worker ends with when nothing that it does itself can help. */
const HOPELESS: readonly number[] = [EXIT.failed, EXIT.config];

interface Place {
  worker: WorkerProcess;
  /** Serves with the configuration before, until another one can serve in its place. */
  isOutdated?: boolean;
  backOff: ReturnType<typeof createBackOff>;
  timer?: NodeJS.Timeout;
}

export function createWorkerPool(deps: WorkerPoolDeps): WorkerPool {
  const { logger, log, onLost, onAllLost, onHopeless, start = startWorker } = deps;
  /** Also those that only finish what they have. */
  const alive = new Set<WorkerProcess>();
  const places: Place[] = [];
  const ended = createEndedMetrics();
  let inForce: Config;
  let haveAllServed = false;
  let isStopping = false;
  const silent = endSilentWorkers(() => places.map(({ worker }) => worker).filter((worker) => worker.isServing()));

  function startOne(config: Config): WorkerProcess {
    const worker = start(config, log);
    alive.add(worker);
    worker.serving.catch(() => worker.kill());
    void worker.ended.then((ending) => {
      ended.add(worker.lastMetrics());
      alive.delete(worker);
      const place = places.find((each) => each.worker === worker);
      if (isStopping || place === undefined) return;
      const delayMs = place.backOff.next(Date.now() - worker.startedAtMs);
      onLost();
      const how = ending.failed?.message ?? ending.signal ?? `exit code ${ending.code}`;
      logger.event('worker.lost', { pid: worker.pid, detail: how, seconds: delayMs / 1000 });
      if (![...alive].some((each) => each.isServing())) {
        onAllLost();
        if (ending.failed !== undefined && HOPELESS.includes(ending.failed.exitCode)) onHopeless(ending.failed);
      }
      clearTimeout(place.timer);
      place.timer = setTimeout(() => {
        place.worker = startOne(inForce);
        place.isOutdated = false;
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

  function putInto(place: Place, worker: WorkerProcess): void {
    clearTimeout(place.timer);
    place.worker.retire();
    place.worker = worker;
    place.isOutdated = false;
  }

  /** Where it fails, the old one serves on and it is tried again: what is in force already knows no way back. */
  async function renew(place: Place): Promise<void> {
    const config = inForce;
    const old = place.worker;
    const isGone = () => isStopping || !places.includes(place) || place.worker !== old;
    try {
      const worker = await startServing(config);
      if (!isGone() && config === inForce) return putInto(place, worker);
      worker.retire();
      if (!isGone()) await renew(place);
    } catch (error) {
      if (isGone()) return;
      clearTimeout(place.timer);
      const delayMs = place.backOff.next(0);
      onLost();
      logger.event('worker.lost', { pid: old.pid, detail: (error as Error).message, seconds: delayMs / 1000 });
      place.timer = setTimeout(() => void renew(place), delayMs);
    }
  }

  async function replaceAll(next: Config): Promise<number> {
    await untilFewLeave(2 * next.workers);
    const first = await startServing(next);
    if (isStopping || places[0] === undefined) throw new WorkerFailedError('it is stopping', EXIT.failed);
    // The first has shown that it can be served with; from here on there is no way back.
    inForce = next;
    for (const place of places) place.isOutdated = true;
    putInto(places[0], first);
    for (const place of places.splice(next.workers)) {
      clearTimeout(place.timer);
      place.worker.retire();
    }
    for (const place of places.slice(1)) {
      clearTimeout(place.timer);
      await renew(place);
    }
    while (places.length < next.workers && !isStopping) {
      const place: Place = { worker: startOne(inForce), backOff: createBackOff() };
      places.push(place);
      await place.worker.serving.catch(() => {});
    }
    if (isStopping) throw new WorkerFailedError('it is stopping', EXIT.failed);
    return places.filter(({ isOutdated, worker }) => isOutdated !== true && worker.isServing()).length;
  }

  /** Those that only finish what they have end by themselves, after 90 s at most. */
  async function untilFewLeave(most: number): Promise<void> {
    for (;;) {
      const leaving = [...alive].filter((worker) => !places.some((place) => place.worker === worker));
      if (leaving.length <= most || isStopping) return;
      await Promise.race(leaving.map(({ ended }) => ended));
    }
  }

  async function ask<Name extends Question>(question: Name): Promise<Asked[Name][]> {
    const answers = await Promise.all([...alive].map((worker) => worker.ask(question, ANSWER_WITHIN_MS)));
    return answers.filter((answer) => answer !== undefined);
  }

  const serving = () => places.filter(({ worker }) => worker.isServing()).length;

  return {
    async start(config) {
      inForce = config;
      if (isStopping) throw new WorkerFailedError('it is stopping', EXIT.failed);
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
        places.map(async ({ worker, isOutdated }) => {
          // One that waits for its successor keeps what it has.
          if (isOutdated === true || !alive.has(worker)) return;
          await worker.serving;
          await worker.reload(next).catch(() => worker.kill());
        }),
      );
    },
    serving,
    async missing() {
      const count = serving();
      if (!haveAllServed || count === 0) return [`${count} of ${inForce.workers} workers serve`];
      const asked = places.filter(({ worker }) => worker.isServing());
      const answers = await Promise.all(asked.map(({ worker }) => worker.ask('missing', READY_WITHIN_MS)));
      const heard = answers.filter((answer) => answer !== undefined);
      return heard.length === 0 ? [`none of ${inForce.workers} workers answers`] : [...new Set(heard.flat())];
    },
    ask,
    async metrics() {
      await ask('metrics');
      return [...ended.all(), ...[...alive].map((worker) => worker.lastMetrics())];
    },
    async drain(seconds) {
      isStopping = true;
      silent.stop();
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
