import { Secret } from '../../../src/sealing/secret.ts';
import type { RedisSettings } from '../../../src/storage/storage.ts';

/** What docs/operations/redis.md lets the broker's user say. Every storage of the tests is this user. */
export const LEAST_RIGHTS = [
  '+ping +info +time +scan +client|setname',
  '+get +mget +set +getdel +del +exists +expire +pttl +pexpireat +incrby',
  '+zadd +zrange +zrangebyscore +zremrangebyscore +eval +evalsha',
] as const;

/** Besides those, on the nodes of a Cluster. */
export const CLUSTER_RIGHTS = '+cluster|slots +cluster|info +asking';

/** All that the default user of a Sentinel needs: only he can be given a password in the configuration. */
export const SENTINEL_RIGHTS =
  '+auth +ping +info +sentinel|get-master-addr-by-name +sentinel|sentinels +subscribe &+switch-master';

const PASSWORD = 'correct-horse';

export const LEAST_USER = { username: 'gatehouse', password: new Secret(PASSWORD) } as const;

/** The user as `redis-server` takes it on its command line. */
export function leastUserOptions(...more: string[]): string[] {
  const rights = [...LEAST_RIGHTS, ...more].join(' ').split(' ');
  return ['--user', LEAST_USER.username, 'on', `>${PASSWORD}`, '~gatehouse:*', ...rights];
}

/** Settings of the default user, who may do everything, for what tests do to a Redis beside its storage. */
export function asAdministrator({ username, password, ...settings }: RedisSettings): RedisSettings {
  if (username === LEAST_USER.username || password === undefined) return settings;
  return { ...settings, password, ...(username === undefined ? {} : { username }) };
}
