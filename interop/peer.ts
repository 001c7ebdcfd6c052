import type { Program } from './program.ts';

/**
 * What `npm run interop` drives: real servers and clients, unmodified, each in scenarios of its own. A peer brings its
 * program and starts it; what happens then, and how it is told, is the runner's.
 */
export interface Peer {
  /** As on the command line. */
  name: string;
  kind: 'upstream' | 'client' | 'consumer';
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
  /** What the table says where it went as it must; `yes`, unless it must go otherwise. */
  cell?: string;
  /** @throws where it does not go as it must */
  run(): Promise<void>;
}

export function check(claim: unknown, words: string): asserts claim {
  if (claim === undefined || claim === null || claim === false || claim === '') throw new Error(words);
}
