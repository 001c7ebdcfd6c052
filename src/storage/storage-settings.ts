import type { Secret } from '../sealing/secret.ts';

export type StorageSettings = { driver: 'memory' } | { driver: 'redis'; redis: RedisSettings };

export interface RedisSettings {
  /** Exactly one of the three. `url` is `redis://` or `rediss://`, without a password. */
  at:
    | { url: string }
    | { cluster: readonly string[] }
    | { sentinel: { name: string; nodes: readonly string[]; password?: Secret } };
  username?: string;
  password?: Secret;
  tls?: { ca?: string };
  keyPrefix: string;
}
