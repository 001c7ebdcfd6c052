import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const HOLDER = join(import.meta.dirname, '../../.cache/faults/test/faults/idle-holder.js');

/** Connections that another process keeps, since one process has only so many files. */
export interface HeldConnections {
  /** How many are open now. */
  held(): number;
  release(): Promise<void>;
}

export async function holdConnections(port: number, count: number): Promise<HeldConnections> {
  const child: ChildProcess = spawn(process.execPath, [HOLDER, '--port', `${port}`, '--count', `${count}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = { held: 0, isDone: false };
  if (child.stdout === null) throw new Error('it has no voice');
  createInterface({ input: child.stdout }).on('line', (line) => {
    said = JSON.parse(line) as typeof said;
    child.emit('said');
  });
  while (!said.isDone) await once(child, 'said', { signal: AbortSignal.timeout(120_000) });
  return {
    held: () => said.held,
    async release() {
      child.stdin?.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
