import type { ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../../config/config.ts';
import type { PatientLogDestination } from '../../../telemetry/log-destination.ts';
import type { ProcessMetrics } from '../../../telemetry/prometheus-text.ts';
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
  /** `undefined` where it does not answer in time. */
  ask<Name extends Question>(question: Name): Promise<Asked[Name] | undefined>;
  drain(seconds: number): void;
  retire(): void;
  kill(): void;
}

/** Longer than a start on a machine that has too much to do. */
const START_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 2000;
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
  const worker = cluster.fork();
  const handedLast = watchHandedOver(worker.process);
  const { stderr } = worker.process;
  if (stderr !== null) void forwardLines(stderr, log);

  let isServing = false;
  let pieces = configPieces(config);
  let lastMetrics: ProcessMetrics = [];
  let calls = 0;
  const waiting = new Map<number, (answer: Asked[Question]) => void>();
  let done: { resolve: () => void; reject: (error: Error) => void };
  /** Until the configuration that was sent last is in force. */
  const outcome = (): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const tooLate = () => reject(new WorkerFailedError(`it did not answer in ${START_WITHIN_MS / 1000} s`, 1));
      const timer = setTimeout(tooLate, START_WITHIN_MS);
      const settled = (settle: () => void) => () => {
        clearTimeout(timer);
        settle();
      };
      done = { resolve: settled(resolve), reject: (error) => settled(() => reject(error))() };
    });
  const say = (message: ToWorker) => worker.isConnected() && worker.send(message, () => {});

  worker.on('message', (message: FromWorker) => {
    if ('next' in message) {
      const piece = pieces.next().value;
      if (piece !== undefined) say(piece);
    } else if ('inForce' in message) {
      isServing = true;
      done.resolve();
    } else if ('failed' in message) done.reject(new WorkerFailedError(message.failed, message.exitCode));
    else if ('last' in message) lastMetrics = message.last;
    else {
      waiting.get(message.call)?.(message.answer);
      waiting.delete(message.call);
    }
  });
  // What cannot be sent to a process that has just ended.
  worker.on('error', () => {});
  const serving = outcome();
  serving.catch(() => {});
  const exited = new Promise<Ending>((resolve) => {
    worker.on('exit', (code, signal) => {
      isServing = false;
      done.reject(new WorkerFailedError(`it ended (${signal ?? code})`, code ?? 1));
      resolve({ code, signal });
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
    reload(next) {
      const reloaded = outcome();
      pieces = configPieces(next);
      const first = pieces.next().value;
      if (first !== undefined) say(first);
      return reloaded;
    },
    async ask(question) {
      const call = ++calls;
      const answer = await new Promise<Asked[Question] | undefined>((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(call);
          resolve(undefined);
        }, ANSWER_WITHIN_MS);
        waiting.set(call, (came) => {
          clearTimeout(timer);
          resolve(came);
        });
        say({ ask: question, call });
      });
      if (question === 'metrics' && answer !== undefined) lastMetrics = answer as ProcessMetrics;
      return answer as Asked[typeof question] | undefined;
    },
    drain(seconds) {
      isServing = false;
      say({ drain: seconds });
    },
    retire() {
      isServing = false;
      say({ retire: true });
    },
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** Connections are handed over one at a time; Node keeps each open until the worker says that it has it. */
function watchHandedOver(child: ChildProcess): () => { close(): void } | undefined {
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
