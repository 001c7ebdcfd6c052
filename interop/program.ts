import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProgramOptions {
  cwd?: string;
  environment?: Readonly<Record<string, string>>;
  onLine?: (line: string) => void;
}

/** A program that runs beside us, in a process group of its own, so that it can be ended with all that it started. */
export interface Program {
  pid: number;
  /** Both of its streams, as far as they have come. */
  output(): string;
  exited: Promise<number>;
  hasExited(): boolean;
  stop(): Promise<void>;
}

const running = new Set<Program>();
const MAX_OUTPUT = 400_000;

export function startProgram(command: readonly string[], options: ProgramOptions = {}): Program {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const collect = (chunk: string) => {
    output = (output + chunk).slice(-MAX_OUTPUT);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', collect);
    createInterface({ input: stream }).on('line', (line) => options.onLine?.(line));
  }
  const program: Program = {
    pid: child.pid ?? 0,
    output: () => output,
    exited: exitOf(child, (words) => collect(words)),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child, program),
  };
  running.add(program);
  return program;
}

async function exitOf(child: ChildProcess, say: (words: string) => void): Promise<number> {
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } catch (error) {
    say(String(error));
    return 127;
  }
}

async function stop(child: ChildProcess, program: Program): Promise<void> {
  if (child.pid !== undefined) {
    signalGroup(child.pid, 'SIGTERM');
    const isOver = await Promise.race([program.exited.then(() => true), delay(15_000, false, { ref: false })]);
    // The leader may be gone and its children not.
    signalGroup(child.pid, 'SIGKILL');
    if (!isOver) await program.exited;
  }
  running.delete(program);
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** What runs now; whatever has come to it when a scenario ends is stopped. */
export function runningPrograms(): readonly Program[] {
  return [...running];
}

export async function stopProgramsExcept(kept: readonly Program[]): Promise<number> {
  const left = runningPrograms().filter((program) => !kept.includes(program));
  await Promise.all(left.map((program) => program.stop()));
  return left.filter((program) => !program.hasExited()).length;
}

/** Runs a program to its end; answers what it wrote to its streams. */
export async function runProgram(command: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const program = startProgram(command, options);
  const code = await program.exited;
  await program.stop();
  if (code === 0) return program.output();
  throw new Error(`${command.slice(0, 4).join(' ')}: exit ${code}: ${lastLines(program.output(), 12)}`);
}

/** As `runProgram`, for what brings a program here. */
export async function obtainBy(command: readonly string[], options: ProgramOptions = {}): Promise<string> {
  try {
    return await runProgram(command, options);
  } catch (error) {
    throw new NotObtainedError(error instanceof Error ? error.message : String(error));
  }
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** Waits until an address answers with 200. */
export async function untilAnswers(address: string, program: Program, limitSeconds = 90): Promise<void> {
  const end = Date.now() + limitSeconds * 1000;
  for (;;) {
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(2000), redirect: 'manual' });
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Not yet.
    }
    if (program.hasExited() || Date.now() > end) {
      throw new Error(`${address} does not answer:\n${lastLines(program.output(), 20)}`);
    }
    await delay(150);
  }
}

/** The program could not be brought here: no network, no toolchain, no such version. That is no failure of ours. */
export class NotObtainedError extends Error {
  override readonly name = 'NotObtainedError';
}
