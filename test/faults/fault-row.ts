import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';

/** One line of docs/operations/faults.md, as it was seen in this run. */
export interface FaultRow {
  group: string;
  fault: string;
  times: number;
  device: string;
  person: string;
  recovery: string;
  /** What the checker found; left out where nothing was read back. */
  violations?: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where each fault leaves its row. */
    faultRows: string;
  }
}

export function record(row: FaultRow): void {
  appendFileSync(inject('faultRows'), `${JSON.stringify(row)}\n`);
}

/** `a` where all were alike, else `a (3), b (1)`. */
export function summed(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const [only] = counts.keys();
  if (counts.size <= 1) return only ?? '';
  return [...counts].map(([word, count]) => `${word} (${count} of ${words.length})`).join('; ');
}
