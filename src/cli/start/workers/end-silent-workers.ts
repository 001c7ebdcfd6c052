import type { WorkerProcess } from './worker-process.ts';

const LOOK_EVERY_MS = 10_000;
/** One that says nothing for so long serves nobody. */
const SILENT_MS = 30_000;
const ASKED_AGAIN_MS = 2000;

/** Ends workers that hang, which the system does not notice; whoever sees ends then puts another in the place. */
export function endSilentWorkers(serving: () => readonly WorkerProcess[]): { stop(): void } {
  const looked = new WeakSet<WorkerProcess>();
  const timer = setInterval(() => {
    for (const worker of serving()) if (!looked.has(worker)) void look(worker);
  }, LOOK_EVERY_MS).unref();
  return { stop: () => clearInterval(timer) };

  async function look(worker: WorkerProcess): Promise<void> {
    looked.add(worker);
    // Twice: where the whole machine stood still, ours may be the first to go on.
    const answer = (await worker.ask('overview', SILENT_MS)) ?? (await worker.ask('overview', ASKED_AGAIN_MS));
    looked.delete(worker);
    if (answer === undefined && worker.isServing()) worker.kill();
  }
}
