import type { Overview } from '../../../telemetry/overview.ts';
import type { ProcessMetrics } from '../../../telemetry/prometheus-text.ts';
import type { ConfigPiece } from '../config-pieces.ts';

/** What a worker is asked for, and what it answers. */
export interface Asked {
  /** What keeps it from being sent traffic, as words. */
  missing: string[];
  metrics: ProcessMetrics;
  overview: Overview;
}

export type Question = keyof Asked;

/** What the process above says to a worker, over the pipe that nobody else holds. */
export type ToWorker =
  | ConfigPiece
  | { ask: Question; call: number }
  /** From now on each answer closes its connection; the worker ends after this time. */
  | { drain: number }
  /** Another one serves in its place: it takes no new connection, and ends when the last one is closed. */
  | { retire: true };

export type FromWorker =
  /** For the next piece of a configuration; the first at the start. */
  | { next: true }
  /** The configuration that came last is in force; the first time, it listens. */
  | { inForce: true }
  | { failed: string; exitCode: number }
  | { call: number; answer: Asked[Question] }
  /** What it has counted, as the last thing that it says. */
  | { last: ProcessMetrics };
