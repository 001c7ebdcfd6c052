import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { login } from '../../../src/cli/login/login.ts';
import type { Desktop } from '../../../src/cli/terminal/desktop.ts';
import { recordedStream } from '../recorded-stream.ts';

export interface LoginRun {
  exitCode: number;
  /** Standard error: what the person reads. */
  screen: string;
  stdout: string;
  /** Seconds between the polls. */
  sleeps: number[];
}

export interface LoginRunOptions {
  /** Called in place of each wait, with what is on the screen by then; the client's clock moves on by itself. */
  onSleep?: (count: number, sleep: { milliseconds: number; screen: string }) => void | Promise<void>;
  abort?: AbortController;
  /** A new place for what is kept, unless it names one. */
  environment?: Record<string, string>;
  folder?: string;
  desktop?: Desktop;
  platform?: NodeJS.Platform;
  screen?: { isTTY?: boolean; columns?: number };
  stdin?: PassThrough & { isTTY?: boolean };
  fetch?: typeof fetch;
}

/** `gatehouse login` in this process, on a clock that moves only by its waits, so that nothing is waited for. */
export async function runLogin(args: readonly string[], options: LoginRunOptions = {}): Promise<LoginRun> {
  const stdout = recordedStream();
  const stderr = recordedStream(options.screen);
  const sleeps: number[] = [];
  const { signal } = options.abort ?? new AbortController();
  let nowMs = Date.now();
  const exitCode = await login(args, {
    stdin: options.stdin ?? new PassThrough(),
    stdout,
    stderr,
    environment: { XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'gatehouse-state-')), ...options.environment },
    folder: options.folder ?? tmpdir(),
    desktop: options.desktop,
    platform: options.platform ?? 'linux',
    signal,
    now: () => nowMs,
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
      sleeps.push(milliseconds / 1000);
      await options.onSleep?.(sleeps.length, { milliseconds, screen: stderr.text });
      signal.throwIfAborted();
    },
    fetch: options.fetch ?? fetch,
  });
  return { exitCode, screen: stderr.text, stdout: stdout.text, sleeps };
}
