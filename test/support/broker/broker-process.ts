import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSigningKey } from '../../../src/tokens/signing-key-set.ts';
import type { LoggedLine } from './test-broker.ts';

const ROOT = join(import.meta.dirname, '../../..');
const READY_WITHIN_MS = 60_000;

/** A test that failed, or was killed, before it could end its broker must not leave it behind. */
const ENDS_WITH_PARENT = `data:text/javascript,${encodeURIComponent(
  'const parent = process.ppid; setInterval(() => process.ppid === parent || process.exit(1), 1000).unref()',
)}`;

/** A broker as it is run: a process of its own, its configuration in a file, its log on stderr. */
export interface BrokerProcess {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly file: string;
  readonly origin: string;
  readonly operations: string;
  /** The lines that were logged so far. */
  readonly lines: LoggedLine[];
  /** What it printed on stdout so far. */
  said(): string;
  /** What came on stderr that is no log line: a crash, a warning of Node's. */
  readonly noise: string[];
  /** Waits for a line of this name, one that is there already included. */
  logged(event: string, matches?: (line: LoggedLine) => boolean, withinMs?: number): Promise<LoggedLine>;
  writeConfig(yaml: object | string): Promise<void>;
  /** Sends a signal and waits for the end; answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface BrokerProcessOptions {
  /** Of the YAML, over a least one; `listen` and `operations` are filled in. */
  yaml: Record<string, unknown>;
  port?: number;
  environment?: Record<string, string>;
  /** What is run in place of src/main.ts. */
  program?: string;
  /** The program that runs it: another Node, for one. */
  node?: string;
  /** Where stderr goes in place of `lines`. */
  log?: number;
  /** Puts the text of the configuration where the process reads it; otherwise it is written over. */
  place?: (file: string, text: string) => Promise<void>;
}

/** Secrets that all replicas of one installation share. */
export async function sharedSecrets(): Promise<Record<string, string>> {
  const keys = await Promise.all([makeSigningKey('RS256', Date.now()), makeSigningKey('ES256', Date.now())]);
  return { SEALING_KEY: randomBytes(32).toString('base64url'), SIGNING_KEYS: JSON.stringify({ keys }) };
}

/** Where no port is asked for, one that somebody else has taken meanwhile is left to them. */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (options.port !== undefined || tries === 3 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function startOnce(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const { yaml, environment = {}, program = 'src/main.ts', node = process.execPath, place = writeFile } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-broker-'));
  const file = join(folder, 'gatehouse.yaml');
  const port = options.port ?? (await unusedPort());
  let operationsPort = await unusedPort();
  while (operationsPort === port) operationsPort = await unusedPort();
  const listening = {
    listen: { host: '127.0.0.1', port },
    operations: { host: '127.0.0.1', port: operationsPort },
  };
  const origin = `http://127.0.0.1:${port}`;
  const usual = { public_url: origin, ...listening };
  const writeConfig = (content: object | string) =>
    place(file, typeof content === 'string' ? content : JSON.stringify({ ...usual, ...content }, null, 1));
  await writeConfig(yaml);

  const loader = program.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(node, ['--import', ENDS_WITH_PARENT, ...loader, join(ROOT, program), '--config', file], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', options.log ?? 'pipe'],
  });
  const lines: LoggedLine[] = [];
  const noise: string[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part.startsWith('{')) lines.push(JSON.parse(part) as LoggedLine);
      else if (part !== '') noise.push(part);
    }
    child.emit('line');
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;

  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    child.emit('said');
  });
  const tooLate = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS);
  while (!/is ready at|listens at/.test(said)) {
    const isOver = await Promise.race([once(child, 'said').then(() => false), ended.then(() => true)]);
    if (isOver) throw new Error(`the broker did not start: ${noise.join('\n')} ${JSON.stringify(lines)}`);
  }
  clearTimeout(tooLate);

  return {
    ...{ child, folder, file, origin, lines, noise, writeConfig },
    said: () => said,
    operations: `http://127.0.0.1:${operationsPort}`,
    async logged(event, matches = () => true, withinMs = 10_000) {
      for (;;) {
        const line = lines.find((each) => each.event === event && matches(each));
        if (line !== undefined) return line;
        await once(child, 'line', { signal: AbortSignal.timeout(withinMs) }).catch(() => {
          throw new Error(`${event} was not logged; there is: ${lines.map((each) => each.event).join(', ')}`);
        });
      }
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = child.exitCode === null && child.signalCode === null ? await ended : [child.exitCode];
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Below the range from which the system takes ports for outgoing connections, which may come at any time. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(20_000 + randomInt(12_000), '127.0.0.1');
  const isFree = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  const address = server.address();
  if (!isFree || address === null || typeof address === 'string') return unusedPort();
  server.close();
  await once(server, 'close');
  return address.port;
}
