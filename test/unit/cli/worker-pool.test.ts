import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBackOff } from '../../../src/cli/start/workers/back-off.ts';
import { createWorkerPool } from '../../../src/cli/start/workers/worker-pool.ts';
import type { Ending, WorkerProcess } from '../../../src/cli/start/workers/worker-process.ts';
import { WorkerFailedError } from '../../../src/cli/start/workers/worker-process.ts';
import type { Config } from '../../../src/config/config.ts';
import type { PatientLogDestination } from '../../../src/telemetry/log-destination.ts';

/** A worker that does what a test tells it to. */
interface Told extends WorkerProcess {
  config: Config;
  reloads: Config[];
  asked: string[];
  end(ending: Ending): void;
}

const configOf = (publicUrl: string, workers = 2) => ({ publicUrl, workers }) as Config;
const log: PatientLogDestination = {
  write: () => {},
  flush: () => Promise.resolve(),
  idle: () => Promise.resolve(),
  linesLost: () => 0,
};

let told: Told[];
let events: string[];
let allLost: number;
/** Configurations that nobody can serve with. */
let hopeless: string[];
beforeEach(() => {
  vi.useFakeTimers();
  [told, events, allLost, hopeless] = [[], [], 0, []];
});
afterEach(() => vi.useRealTimers());

function start(config: Config): WorkerProcess {
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  const fails = hopeless.includes(config.publicUrl);
  const asked: string[] = [];
  const worker: Told = {
    ...{ config, reloads: [], asked, ended, pid: told.length + 1, startedAtMs: Date.now() },
    isServing: () => !fails && asked.length === 0,
    serving: fails ? Promise.reject(new WorkerFailedError('no Redis there', 78)) : Promise.resolve(),
    lastMetrics: () => [],
    async reload(next) {
      worker.reloads.push(next);
    },
    ask: async () => undefined,
    drain(seconds) {
      asked.push(`drain ${seconds}`);
      end({ code: 0, signal: null });
    },
    retire: () => void asked.push('retire'),
    kill: () => end({ code: null, signal: 'SIGKILL' }),
    end,
  };
  worker.serving.catch(() => {});
  told.push(worker);
  return worker;
}

const pool = () =>
  createWorkerPool({
    logger: { event: (name, fields) => void events.push(`${name} ${JSON.stringify(fields)}`) },
    log,
    start,
    onLost: () => {},
    onAllLost: () => {
      allLost += 1;
    },
  });
const urls = () => told.map(({ config }) => config.publicUrl);

describe('the workers', () => {
  it('that end are replaced with what is in force, the sooner the longer they lived', async () => {
    const workers = pool();
    await workers.start(configOf('first'));
    await workers.reload(configOf('second'));
    expect(told.map(({ reloads }) => reloads.map(({ publicUrl }) => publicUrl))).toEqual([['second'], ['second']]);
    for (const [delayMs, count] of [
      [0, 3],
      [1000, 4],
      [2000, 5],
    ] as const) {
      told.at(count === 3 ? 0 : -1)?.end({ code: 70, signal: null });
      await vi.advanceTimersByTimeAsync(Math.max(0, delayMs - 1));
      if (delayMs > 0) expect(told).toHaveLength(count - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(told).toHaveLength(count);
    }
    expect(urls()).toEqual(['first', 'first', 'second', 'second', 'second']);
    expect(events[0]).toBe('worker.lost {"pid":1,"detail":"exit code 70","seconds":0}');
    expect(workers.serving()).toBe(2);
  });

  it('stay as they are where the first of the new ones cannot serve', async () => {
    const workers = pool();
    await workers.start(configOf('first'));
    hopeless = ['second'];
    await expect(workers.replaceAll(configOf('second'))).rejects.toThrow('no Redis there');
    expect(told.map(({ asked }) => asked)).toEqual([[], [], []]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(urls()).toEqual(['first', 'first', 'second']);
    told[0]?.end({ code: 1, signal: null });
    await vi.advanceTimersByTimeAsync(1);
    expect(urls().at(-1)).toBe('first');
  });

  it.each([
    [1, ['retire', 'retire']],
    [3, ['retire', 'retire']],
  ])('may become %i', async (count, asked) => {
    const workers = pool();
    await workers.start(configOf('first'));
    await workers.replaceAll(configOf('second', count));
    expect(workers.serving()).toBe(count);
    expect(told.slice(0, 2).flatMap((each) => each.asked)).toEqual(asked);
    // Those that only finish what they have are told to hurry at the next replacement.
    await workers.replaceAll(configOf('third', count));
    expect(told.slice(0, 2).flatMap((each) => each.asked.slice(1))).toEqual(['drain 0', 'drain 0']);
    expect(events).toEqual([]);
  });

  it('are ready when all have served once, and then as long as one does', async () => {
    const workers = pool();
    const starting = workers.start(configOf('first'));
    expect(await workers.missing()).toEqual(['2 of 2 workers serve']);
    await starting;
    expect(await workers.missing()).toEqual([]);
    hopeless = ['first'];
    told[0]?.end({ code: 1, signal: null });
    await vi.advanceTimersByTimeAsync(1);
    expect(workers.serving()).toBe(1);
    expect(await workers.missing()).toEqual([]);
  });

  it('say when nobody listens any more, and are not replaced once they drain', async () => {
    const workers = pool();
    await workers.start(configOf('first'));
    told[0]?.end({ code: 1, signal: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(allLost).toBe(0);
    await workers.drain(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.filter(({ asked }) => asked[0] !== 'drain 3').map(({ pid }) => pid)).toEqual([1]);
    expect(told).toHaveLength(3);
  });
});

it('the way back is at once, then doubles to half a minute, and is at once again after a steady minute', () => {
  const backOff = createBackOff();
  const waits = Array.from({ length: 9 }, () => backOff.next(500) / 1000);
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 30, 30, 30]);
  expect([backOff.next(60_000), backOff.next(0), backOff.next(59_000)]).toEqual([0, 0, 1000]);
});
