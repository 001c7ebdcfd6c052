import type { Secret } from '../sealing/secret.ts';

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

/** Absolute paths. */
export interface RedisFiles {
  password?: string;
  sentinelPassword?: string;
  ca?: string;
  cert?: string;
  key?: string;
}
