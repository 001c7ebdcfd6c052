import { createHash } from 'node:crypto';
import type { Choice, TraceStep } from './scheduler.ts';

/** One scenario, after the steps of one schedule. */
export interface Run {
  choices: Choice[];
  state: string;
  violation: string | undefined;
  trace: readonly TraceStep[];
}

/** Plays a scenario from its beginning, step by step; `next` says what comes after the steps so far. */
export type Play = (next: (choices: Choice[], depth: number) => Choice | undefined) => Promise<Run>;

export interface Found {
  violation: string;
  trace: readonly TraceStep[];
}

export interface Explored {
  states: number;
  /** The longest schedule that was looked at. */
  depth: number;
  /** Whether every schedule was, up to its end. */
  isWhole: boolean;
  found?: Found;
}

/**
 * Every schedule, the short ones first, so that what is found is as short as can be. Two schedules that lead to the same
 * state are one from there on: callers know nothing but what the ledger told them.
 */
export async function exploreAll(play: Play, most: { states: number; depth: number }): Promise<Explored> {
  const seen = new Set<string>();
  let level: Choice[][] = [[]];
  let depth = 0;
  for (; level.length > 0 && depth <= most.depth; depth += 1) {
    const deeper: Choice[][] = [];
    for (const schedule of level) {
      const run = await play((_, at) => schedule[at]);
      if (run.violation !== undefined) {
        return { states: seen.size, depth, isWhole: false, found: { violation: run.violation, trace: run.trace } };
      }
      if (seen.has(run.state)) continue;
      seen.add(run.state);
      if (seen.size >= most.states) return { states: seen.size, depth, isWhole: false };
      for (const choice of run.choices) deeper.push([...schedule, choice]);
    }
    level = deeper;
  }
  return { states: seen.size, depth: depth - 1, isWhole: level.length === 0 };
}

/** Schedules drawn at random, to their end. The seed is what to say when one is to be seen again. */
export async function exploreAtRandom(play: Play, runs: number, seed: number): Promise<Explored> {
  let longest = 0;
  for (let n = 0; n < runs; n += 1) {
    const run = await play(drawn(seed + n));
    longest = Math.max(longest, run.trace.length);
    if (run.violation !== undefined) {
      const violation = `${run.violation} (seed ${seed + n})`;
      return { states: n + 1, depth: longest, isWhole: false, found: { violation, trace: run.trace } };
    }
  }
  return { states: runs, depth: longest, isWhole: false };
}

/** One schedule, drawn at random. Faults are rare in it, or nothing would ever come to its end. */
export function drawn(seed: number): (choices: Choice[]) => Choice | undefined {
  const draw = drawsOf(seed);
  return (choices) => {
    const from = draw() < 0.1 ? choices : choices.filter(({ fault }) => fault === 'ok');
    return from[Math.floor(draw() * from.length)];
  };
}

/** Draws that are the same again on any machine. */
function drawsOf(seed: number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };
}
