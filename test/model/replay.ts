import type { Ledger } from '../../src/ledger/ledger.ts';
import type { TestStore } from '../support/redis/storage-under-test.ts';
import type { TraceStep } from './scheduler.ts';

/** What a driver answers otherwise than the model. */
export interface Difference {
  step: number;
  verb: string;
  model: string;
  driver: string;
}

const NOT_OF_THE_LEDGER = ['pause', 'upstream'];

/** Whoever is slower than this has polled too early by the driver's clock, which does not stand still. */
const MAX_MS = 600;
const TRIES = 10;

/**
 * Does on a driver what was done on the model, verb by verb, and compares the answers; moments are the driver's own. A run
 * that the machine held up is made again: the rule of the pace would judge it by its clock, and rightly.
 */
export async function differenceAt(
  store: TestStore,
  record: () => Promise<readonly TraceStep[]>,
): Promise<Difference | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const trace = await record();
    const beganMs = performance.now();
    const difference = await firstDifference(store, trace);
    if (performance.now() - beganMs < MAX_MS) return difference;
  }
  throw new Error(`this machine replays no trace within ${MAX_MS} ms`);
}

async function firstDifference(store: TestStore, trace: readonly TraceStep[]): Promise<Difference | undefined> {
  for (const [step, { verb, args, fault, result }] of trace.entries()) {
    if (fault === 'unsent' || NOT_OF_THE_LEDGER.includes(verb)) continue;
    if (verb === 'time') {
      await store.advance(Number(args[0]));
      continue;
    }
    const { ledger } = store.storage;
    const run = () => (ledger[verb as keyof Ledger] as (...all: unknown[]) => Promise<unknown>)(...args);
    if (fault === 'twice') await run();
    const [model, driver] = [timeless(result), timeless(await run())];
    if (verb !== 'now' && model !== driver) return { step, verb, model, driver };
  }
  return undefined;
}

/** Without what is read from a clock. */
function timeless(result: unknown): string {
  return JSON.stringify(result, (name, value: unknown) => (name === 'nowMs' ? undefined : (value ?? null))) ?? '';
}
