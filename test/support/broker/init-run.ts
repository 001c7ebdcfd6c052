import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { vi } from 'vitest';
import { run } from '../../../src/cli/init/init.ts';

export interface InitRun {
  code: number;
  out: string;
  /** What the person reads, and what goes wrong. */
  err: string;
}

/** `gatehouse init` in this process; with `typed`, on a terminal at which these lines are typed, and then nothing more. */
export async function runInit(args: readonly string[], typed?: readonly string[]): Promise<InitRun> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  for (const line of typed ?? []) input.write(`${line}\n`);
  input.end();
  try {
    const code = await run([...args], input);
    return {
      code,
      out: out.mock.calls.map(([text]) => String(text)).join(''),
      err: err.mock.calls.map(([text]) => String(text)).join(''),
    };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

/** A folder of its own, in which nothing is. */
export async function emptyFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-init-'));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
