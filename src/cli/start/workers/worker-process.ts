import type { ChildProcess } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../../config/config.ts';
import type { PatientLogDestination } from '../../../telemetry/log-destination.ts';
import type { ProcessMetrics } from '../../../telemetry/prometheus-text.ts';
import { EXIT } from '../../exit-codes.ts';
import { configPieces } from '../config-pieces.ts';
import { forwardLines } from './forward-lines.ts';
import type { Asked, FromWorker, Question, ToWorker } from './messages.ts';

/** A worker that cannot serve, in its own words. */
export class WorkerFailedError extends Error {
  override readonly name = 'WorkerFailedError';
  readonly exitCode: number;

  constructor(words: string, exitCode: number) {
    super(words);
    this.exitCode = exitCode;
  }
}

export interface Ending {
  code: number | null;
  signal: string | null;
  /** Why, where it could be said. */
  failed?: WorkerFailedError;
}

/** A worker, as the process above it sees it. */
export interface WorkerProcess {
  readonly pid: number;
  readonly startedAtMs: number;
  isServing(): boolean;
  /** Resolves when it serves. @throws {WorkerFailedError} */
  readonly serving: Promise<void>;
  readonly ended: Promise<Ending>;
  /** What it had counted when it was last asked, or at its end. */
  lastMetrics(): ProcessMetrics;
  /** Brings another configuration into force in it. @throws {WorkerFailedError} */
  reload(config: Config): Promise<void>;
  /** `undefined` where it does not answer in time; at once where it cannot hear. */
  ask<Name extends Question>(question: Name, withinMs: number): Promise<Asked[Name] | undefined>;
  drain(seconds: number): void;
  retire(): void;
  kill(): void;
}

/** Longer than a start on a machine that has too much to do. */
const START_WITHIN_MS = 60_000;
/** A retired one ends by itself after 90 s, and what takes a little longer is over by then. */
const RETIRED_WITHIN_MS = 120_000;
/** What is in the pipe at its end is read long before that. */
const LAST_WORDS_MS = 500;
/** Its name ends as the name of this file does: in TypeScript or built. */
const PROGRAM = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

export function startWorker(config: Config, log: PatientLogDestination): WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(PROGRAM),
    args: [],
    serialization: 'advanced',
    // Its lines go out with ours, and stdout is the ready line's.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let worker: Worker;
  try {
    worker = cluster.fork();
  } catch (error) {
    return neverStarted(new WorkerFailedError(`it could not be started: ${String(error)}`, EXIT.fault));
  }
  const handedLast = watchHandedOver(worker.process);
  // A fork that fails for want of descriptors has none at all.
  const stderr: Readable | null | undefined = worker.process.stderr;
  if (stderr) void forwardLines(stderr, log);

  /** Node listens in a worker before our program does: what is sent until that has loaded is lost. */
  let hasBegun = false;
  let isLeaving = false;
  let failed: WorkerFailedError | undefined;
  let isServing = false;
  let pieces = configPieces(config);
  let lastMetrics: ProcessMetrics = [];
  let calls = 0;
  const waiting = new Map<number, (answer: Asked[Question]) => void>();
  let done: { resolve: () => void; reject: (error: Error) => void };
  /** Until the configuration that was sent last is in force. */
  const outcome = (): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const tooLate = () => {
        failed = new WorkerFailedError(`it did not answer in ${START_WITHIN_MS / 1000} s`, EXIT.failed);
        reject(failed);
      };
      const timer = setTimeout(tooLate, START_WITHIN_MS).unref();
      const settled = (settle: () => void) => () => {
        clearTimeout(timer);
        settle();
      };
      done = { resolve: settled(resolve), reject: (error) => settled(() => reject(error))() };
    });
  const send = (message: ToWorker) => worker.isConnected() && worker.send(message, () => {});
  const kill = () => void worker.process.kill('SIGKILL');
  const leave = (message: ToWorker) => {
    isLeaving = true;
    isServing = false;
    // Before it has begun it has opened nothing, and nobody waits for it to load.
    if (hasBegun) send(message);
    else kill();
  };

  worker.on('message', (message: FromWorker) => {
    if ('next' in message) {
      hasBegun = true;
      const piece = pieces.next().value;
      if (piece !== undefined) send(piece);
    } else if ('inForce' in message) {
      isServing = !isLeaving;
      done.resolve();
    } else if ('failed' in message) {
      failed = new WorkerFailedError(message.failed, message.exitCode);
      done.reject(failed);
    } else if ('last' in message) lastMetrics = message.last;
    else {
      waiting.get(message.call)?.(message.answer);
      waiting.delete(message.call);
    }
  });
  const serving = outcome();
  serving.catch(() => {});
  const exited = new Promise<Ending>((resolve) => {
    worker.on('error', (error) => {
      // Otherwise something could not be sent to a process that has just ended.
      if (worker.process.pid !== undefined) return;
      failed = new WorkerFailedError(`it could not be started: ${error.message}`, EXIT.fault);
      done.reject(failed);
      resolve({ code: null, signal: null, failed });
      resolveSilent();
    });
    worker.on('exit', (code, signal) => {
      isServing = false;
      done.reject(new WorkerFailedError(`it ended (${signal ?? code})`, code ?? 1));
      resolve({ code, signal, ...(failed !== undefined && { failed }) });
      // It died with a connection that it had not said to have taken: closed here, so that its peer tries again at once.
      handedLast()?.close();
      // Node may wait for its end for ever then; and would hand it others.
      setTimeout(() => {
        if (worker.process.connected) worker.process.disconnect();
        resolveSilent();
      }, LAST_WORDS_MS);
    });
  });
  // What it said last is read after its end.
  let resolveSilent: () => void = () => {};
  const silent = new Promise<void>((resolve) => {
    resolveSilent = resolve;
    worker.on('disconnect', () => resolve());
  });
  const ended = silent.then(() => exited);

  return {
    pid: worker.process.pid ?? 0,
    startedAtMs: Date.now(),
    isServing: () => isServing,
    ...{ serving, ended },
    lastMetrics: () => lastMetrics,
    async reload(next) {
      if (!worker.isConnected()) throw new WorkerFailedError('it has ended', EXIT.failed);
      const reloaded = outcome();
      pieces = configPieces(next);
      const first = pieces.next().value;
      if (first !== undefined) send(first);
      return reloaded;
    },
    async ask(question, withinMs) {
      if (!hasBegun || !worker.isConnected()) return undefined;
      const call = ++calls;
      const answer = await new Promise<Asked[Question] | undefined>((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(call);
          resolve(undefined);
        }, withinMs);
        waiting.set(call, (came) => {
          clearTimeout(timer);
          resolve(came);
        });
        send({ ask: question, call });
      });
      if (question === 'metrics' && answer !== undefined) lastMetrics = answer as ProcessMetrics;
      return answer as Asked[typeof question] | undefined;
    },
    drain: (seconds) => leave({ drain: seconds }),
    retire() {
      leave({ retire: true });
      setTimeout(kill, RETIRED_WITHIN_MS).unref();
    },
    kill,
  };
}

/** Connections are handed over one at a time; Node keeps each open until the worker says that it has it. */
function watchHandedOver(child: ChildProcess): () => { close(): void } | undefined {
  // A fork that fails for want of descriptors has no channel either.
  if (typeof child.send !== 'function') return () => undefined;
  let last: { close(): void } | undefined;
  const send: (...sent: unknown[]) => boolean = child.send.bind(child) as never;
  Object.assign(child, {
    send(...sent: unknown[]) {
      const [, handle] = sent;
      if (typeof handle === 'object' && handle !== null && 'close' in handle) last = handle as { close(): void };
      return send(...sent);
    },
  });
  return () => last;
}

/** Where the system gives no process: it ended as it began. */
function neverStarted(failed: WorkerFailedError): WorkerProcess {
  const serving = Promise.reject(failed);
  serving.catch(() => {});
  return {
    ...{ pid: 0, startedAtMs: Date.now(), serving, isServing: () => false, lastMetrics: () => [] },
    ended: Promise.resolve({ code: null, signal: null, failed }),
    reload: () => Promise.reject(failed),
    ask: async () => undefined,
    ...{ drain: () => {}, retire: () => {}, kill: () => {} },
  };
}
