import type { Ledger } from '../ledger/ledger.ts';
import type { Counters } from '../limits/counters.ts';
import type { Secret } from '../sealing/secret.ts';

/**
 * Storage holds the two drivers of what the broker keeps: memory for one process, Redis for many. It knows keys, bytes,
 * scripts and expiry. It knows no rule of a grant, a session or a limit: those are in the domain, once.
 *
 * A verb that gets no answer in time, or for which there is no room, rejects with `StorageUnavailableError`, within
 * seconds: devices then hear 503 `temporarily_unavailable` and come again. Any other error is taken for a fault, and is a
 * 500, which ends the sign-in of most clients. An outage removes nothing and shortens no life.
 *
 * @example
 * ```ts
 * import { createBroker, loadConfig, memoryStorage, type Storage } from 'gatehouse-broker';
 *
 * const storage: Storage = { ...memoryStorage(), kind: 'ours' };
 * await storage.open();
 * const broker = await createBroker({ config: await loadConfig('gatehouse.yaml'), storage });
 * ```
 */
export interface Storage {
  /** A word for the log: `memory`, `redis`, or what another store calls itself. */
  readonly kind: string;
  readonly ledger: Ledger;
  readonly counters: Counters;
  readonly browserSessions: BrowserSessions;
  /** Connects and checks what must hold before anything is stored. Throws `StorageRefusedError` for what no wait mends. */
  open(): Promise<void>;
  /** Whether a command would be answered now. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Texts under keys. The pages hash a session's id and seal its content before they get here.
 *
 * @example
 * ```ts
 * import type { BrowserSessions } from 'gatehouse-broker';
 *
 * function inOneProcess(): BrowserSessions {
 *   const kept = new Map<string, { text: string; endsAtMs: number }>();
 *   return {
 *     async get(key) {
 *       const found = kept.get(key);
 *       return found !== undefined && found.endsAtMs > Date.now() ? found.text : undefined;
 *     },
 *     async set(key, text, lifeMs) {
 *       kept.set(key, { text, endsAtMs: Date.now() + lifeMs });
 *     },
 *     async destroy(key) {
 *       kept.delete(key);
 *     },
 *   };
 * }
 * ```
 */
export interface BrowserSessions {
  /** The text that was set last, until its life is over. */
  get(key: string): Promise<string | undefined>;
  /** Keeps a text for `lifeMs` from now on, in place of what was there. With no life left nothing is kept. */
  set(key: string, text: string, lifeMs: number): Promise<void>;
  destroy(key: string): Promise<void>;
}

/**
 * The store answers, but must not be used as it is set up; the message says what to change.
 *
 * @example
 * ```ts
 * import { StorageRefusedError } from 'gatehouse-broker';
 *
 * function admit(version: number): void {
 *   if (version < 15) throw new StorageRefusedError(`the database is of version ${version}: 15 or newer is needed`);
 * }
 * ```
 */
export class StorageRefusedError extends Error {
  override readonly name = 'StorageRefusedError';
}

export type StorageSettings = { driver: 'memory' } | { driver: 'redis'; redis: RedisSettings };

/**
 * @example
 * ```ts
 * import { type RedisSettings, redisStorage } from 'gatehouse-broker';
 *
 * const settings: RedisSettings = { at: { url: 'redis://127.0.0.1:6379' }, keyPrefix: 'gatehouse:' };
 * const storage = redisStorage(settings);
 * ```
 */
export interface RedisSettings {
  /** Exactly one of the four. `url` is `redis://` or `rediss://`, without a password; `socket` is the path of one. */
  at:
    | { url: string }
    | { socket: string }
    | { cluster: readonly string[] }
    | { sentinel: { name: string; nodes: readonly string[]; password?: Secret } };
  /** Where no URL says it; 0 where nothing does. */
  database?: number;
  username?: string;
  password?: Secret;
  tls?: { ca?: string; cert?: string; key?: Secret };
  /** Where these were read: they are read again at each connect, so that what is renewed there needs no restart. */
  files?: RedisFiles;
  keyPrefix: string;
}

/** The last that a server can have: its `databases`, 16 unless it says otherwise, is an int of C. */
export const MAX_REDIS_DATABASE = 2 ** 31 - 2;

/** Absolute paths. */
export interface RedisFiles {
  password?: string;
  sentinelPassword?: string;
  ca?: string;
  cert?: string;
  key?: string;
}
