import type { Program } from './program.ts';

/**
 * What `npm run interop` drives: real servers and clients, unmodified, each in scenarios of its own. A peer brings its
 * program and starts it; what happens then, and how it is told, is the runner's.
 */
export interface Peer {
  /** As on the command line. */
  name: string;
  /** A tool is a way of ours to run or to deploy it, which wants a real program. */
  kind: 'upstream' | 'client' | 'consumer' | 'tool';
  /** Where it comes from by name. */
  from: string;
  /** To obtain and start it, with a cold cache. */
  limitSeconds: number;
  open(): Promise<OpenPeer>;
}

export interface OpenPeer {
  version: string;
  scenarios: readonly Scenario[];
  /** The programs that stand for it now, where a scenario may have started them anew. */
  keeps?(): readonly Program[];
  close(): Promise<void>;
}

export interface Scenario {
  name: string;
  limitSeconds: number;
  /** Left out of a quick run. */
  isLong?: boolean;
  /** What the table says where it went as it must; `yes`, unless it must go otherwise. */
  cell?: string;
  /** @returns what the table says instead, such as how long it took; @throws where it does not go as it must */
  run(): Promise<void> | Promise<string>;
}

export function check(claim: unknown, words: string): asserts claim {
  if (claim === undefined || claim === null || claim === false || claim === '') throw new Error(words);
}
