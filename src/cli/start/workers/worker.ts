/** The process of one worker: serves on the port of all, with the configuration that the process above it hands down. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { SelfTestError } from '../../../broker/self-test.ts';
import type { Config } from '../../../config/config.ts';
import { StorageRefusedError } from '../../../storage/storage.ts';
import { createMetrics } from '../../../telemetry/metrics.ts';
import { EXIT } from '../../exit-codes.ts';
import { closeServer, leaveServer } from '../close-server.ts';
import { type ConfigPiece, createConfigAssembly } from '../config-pieces.ts';
import { ListenError, listenAsPrepared } from '../listen.ts';
import { type OpenBroker, openBroker, openLog } from '../open-broker.ts';
import { createPublicServer, renewCertificate } from '../public-server.ts';
import { setV8Flags } from '../v8-flags.ts';
import type { Asked, FromWorker, Question, ToWorker } from './messages.ts';

const SECOND = 1000;
/** A connection that nobody uses is closed before that: after the 75 s that one is kept alive. */
const LEAVE_MS = 90 * SECOND;

interface Serving extends OpenBroker {
  server: Server;
  reload(config: Config): void;
}

// Whoever stops a service, or presses Ctrl-C, signals all processes of it; the one above says what is to be done.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

const metrics = createMetrics({ logLinesLost: () => logLinesLost() });
let logLinesLost = () => 0;
let serving: Serving | undefined;
/** Also before it serves: whoever stops all may do so while it starts. */
let isDraining = false;
const assemble = createConfigAssembly();

process.on('message', (message: ToWorker) => {
  if ('others' in message || 'clients' in message) void take(message);
  else if ('ask' in message) void answer(message.ask).then((answer) => say({ call: message.call, answer }));
  else if ('drain' in message) void drain(message.drain);
  else void retire();
});
say({ next: true });

function say(message: FromWorker, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, onSent);
}

async function take(piece: ConfigPiece): Promise<void> {
  const config = assemble(piece);
  if (config === undefined) {
    // Requests first.
    setImmediate(() => say({ next: true }));
    return;
  }
  try {
    if (serving === undefined) serving = await serve(config);
    else serving.reload(config);
    say({ inForce: true });
  } catch (error) {
    const isOurs = ![ListenError, StorageRefusedError, SelfTestError].some((kind) => error instanceof kind);
    if (isOurs) throw error;
    fail(error as Error, error instanceof ListenError ? EXIT.failed : EXIT.config);
  }
}

function fail({ message }: Error, exitCode: number): void {
  say({ failed: message, exitCode }, () => process.exit(exitCode));
}

async function serve(config: Config): Promise<Serving> {
  setV8Flags();
  const logger = openLog(config);
  logLinesLost = () => logger.linesLost();
  const { storage, broker } = await openBroker(config, {
    ...{ logger, metrics },
    onRefused: (error) => fail(error, EXIT.config),
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isDraining) response.setHeader('Connection', 'close');
    broker.handle(request, response);
  };
  const server = createPublicServer(handle, broker.unreadable, config.listen.tls);
  await listenAsPrepared(server, config.listen, process.ppid);
  const audit = broker.processContext.logger;
  audit.event('worker.started', { pid: process.pid });
  return {
    ...{ storage, broker, server },
    reload(next) {
      broker.reload(next);
      audit.setLevel(next.log.level);
      if (next.listen.tls !== undefined) renewCertificate(server, next.listen.tls);
    },
  };
}

async function answer(question: Question): Promise<Asked[Question]> {
  switch (question) {
    case 'missing':
      return serving?.broker.missing() ?? ['it starts'];
    case 'overview':
      return metrics.overview();
    case 'metrics':
      return metrics.figures();
  }
}

async function drain(seconds: number): Promise<void> {
  isDraining = true;
  setTimeout(() => void stop(), seconds * SECOND);
}

async function retire(): Promise<void> {
  if (serving === undefined) return stop();
  isDraining = true;
  setTimeout(() => void stop(), LEAVE_MS);
  await leaveServer(serving.server);
  await stop();
}

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (serving !== undefined) {
    const { server, storage, broker } = serving;
    await closeServer(server);
    await storage.close();
    await broker.close();
  }
  say({ last: await metrics.figures() }, () => process.exit(EXIT.done));
}
