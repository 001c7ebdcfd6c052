import type { Store } from 'express-session';
import type { Ledger } from '../grants/ledger.ts';
import type { Counters } from '../limits/counters.ts';

/**
 * Storage holds the two drivers of what the broker keeps: memory for one process, Redis for many. It knows keys, bytes,
 * scripts and expiry. It knows no rule of a grant, a session or a limit: those are in the domain, once.
 */
export interface Storage {
  readonly kind: 'memory' | 'redis';
  readonly ledger: Ledger;
  readonly counters: Counters;
  /** Where browser sessions are kept; the pages hash the ids and seal the contents before they get here. */
  readonly browserSessions: Store;
  /** Connects and checks what must hold before anything is stored. Throws `StorageRefusedError` for what no wait mends. */
  open(): Promise<void>;
  /** Whether a command would be answered now. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/** The store answers, but must not be used as it is set up; the message says what to change. */
export class StorageRefusedError extends Error {
  override readonly name = 'StorageRefusedError';
}
