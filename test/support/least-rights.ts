import { Secret } from '../../src/sealing/secret.ts';

/** The rights that docs/operations/redis.md asks an administrator for, and no more. */
const RIGHTS = [
  '+ping +info +quit +time +scan +client|setname',
  '+get +mget +set +getdel +del +exists +expire +pttl +pexpireat +incrby',
  '+zadd +zrange +zrangebyscore +zremrangebyscore +eval +evalsha',
];

export const LEAST_RIGHTS_USER = { username: 'gatehouse', password: new Secret('correct-horse') };

/** Of a `redis-server` that knows this user, for keys that begin with `gatehouse:`. `more` for what a Cluster needs. */
export function leastRightsOptions(more: readonly string[] = []): string[] {
  const { username, password } = LEAST_RIGHTS_USER;
  const rule = `on >${password.reveal()} ~gatehouse:* ${RIGHTS.join(' ')}`;
  return ['--user', username, ...rule.split(' '), ...more];
}
