import type { ServerUnderTest } from './server-under-test.ts';

/** One requirement of a standard, as it can be seen from outside. */
export interface Check {
  /** Two words, for people and programs: `poll.pending`. */
  id: string;
  title: string;
  /** Where it is written; where the text gives no number, the detail says whose the number is. */
  requirement: string;
  /** `must` only for what the text obliges a server to, or what no device could do without. */
  level: 'must' | 'should';
  /** How long it waits, for the estimate at the beginning. */
  seconds?: (server: ServerUnderTest) => number;
  run(server: ServerUnderTest): Promise<Verdict>;
}

export type Verdict = { verdict: 'holds' | 'fails' | 'cannot be seen'; detail: string };

export interface Result extends Verdict {
  check: Check;
}

export const holds = (detail = ''): Verdict => ({ verdict: 'holds', detail });
export const fails = (detail: string): Verdict => ({ verdict: 'fails', detail });

/** @param detail what would make it seen */
export const cannotBeSeen = (detail: string): Verdict => ({ verdict: 'cannot be seen', detail });
