import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBackOff } from '../../../src/cli/start/workers/back-off.ts';
import type { Asked } from '../../../src/cli/start/workers/messages.ts';
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
  isStuck: boolean;
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
let hopelessWords: string[];
/** Configurations that nobody can serve with. */
let hopeless: string[];
/** The numbers of those that cannot serve, whatever they begin with. */
let failing: number[];
beforeEach(() => {
  vi.useFakeTimers();
  [told, events, allLost, hopeless, hopelessWords, failing] = [[], [], 0, [], [], []];
});
afterEach(() => vi.useRealTimers());

const answers = { missing: [], metrics: [], overview: {} } as unknown as Asked;

function start(config: Config): WorkerProcess {
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  const fails = hopeless.includes(config.publicUrl) || failing.includes(told.length + 1);
  const asked: string[] = [];
  const worker: Told = {
    ...{ config, reloads: [], asked, isStuck: false, ended, pid: told.length + 1, startedAtMs: Date.now() },
    isServing: () => !fails && asked.length === 0,
    serving: fails ? Promise.reject(new WorkerFailedError('no Redis there', 78)) : Promise.resolve(),
    lastMetrics: () => [],
    async reload(next) {
      if (worker.isStuck) throw new WorkerFailedError('it did not answer in 60 s', 1);
      worker.reloads.push(next);
    },
    ask: async (question) => (worker.isStuck ? undefined : answers[question]),
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
    onHopeless: ({ message }) => void hopelessWords.push(message),
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
    // Those that only finish what they have are left to it.
    await workers.replaceAll(configOf('third', count));
    expect(told.slice(0, 2).flatMap((each) => each.asked)).toEqual(asked);
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

  it('all become new once the first of them serves, also where a later one needs more attempts', async () => {
    const workers = pool();
    await workers.start(configOf('first'));
    failing = [4];
    expect(await workers.replaceAll(configOf('second'))).toBe(1);
    expect(told.slice(0, 2).map(({ asked }) => asked)).toEqual([['retire'], []]);
    expect([workers.serving(), events]).toEqual([2, [expect.stringContaining('no Redis there')]]);
    // It is not brought what it cannot take, and serves on.
    await workers.reload(configOf('third'));
    expect(told[1]?.reloads).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(urls().at(-1)).toBe('third');
    expect([workers.serving(), told[1]?.asked]).toEqual([2, ['retire']]);
  });

  it('are ended and replaced where they say nothing for long, and are not ready where none answers', async () => {
    const workers = pool();
    await workers.start(configOf('first'));
    for (const worker of told) worker.isStuck = true;
    expect(await workers.missing()).toEqual(['none of 2 workers answers']);
    if (told[1] !== undefined) told[1].isStuck = false;
    expect(await workers.missing()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(events).toEqual(['worker.lost {"pid":1,"detail":"SIGKILL","seconds":0}']);
    expect(await workers.missing()).toEqual([]);
    if (told[1] !== undefined) told[1].isStuck = true;
    await workers.reload(configOf('second'));
    await vi.advanceTimersByTimeAsync(1);
    expect(urls()).toEqual(['first', 'first', 'first', 'second']);
  });

  it('say why none can serve, when the last one did', async () => {
    const workers = pool();
    await workers.start(configOf('first', 1));
    const failed = new WorkerFailedError('127.0.0.1:1 is in use', 1);
    told[0]?.end({ code: 1, signal: null, failed });
    told[0]?.asked.push('ended');
    await vi.advanceTimersByTimeAsync(1);
    expect([hopelessWords, events[0]]).toEqual([[failed.message], expect.stringContaining(failed.message)]);
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
