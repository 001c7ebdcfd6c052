import type { StorageUnavailableError } from '../../ledger/ledger.ts';
import { awayCause } from '../../storage/redis/away-cause.ts';
import type { RedisSettings } from '../../storage/storage.ts';

/** Which Redis did not answer, and why: what whoever typed the command needs to look at next. */
export function redisAway({ at }: RedisSettings, { message, cause }: StorageUnavailableError): string {
  const reason = cause instanceof Error ? awayCause(cause).words : message;
  return `${placeOf(at)}: ${reason}`;
}

/** None of the forms has a password in it: the configuration refuses one there. */
function placeOf(at: RedisSettings['at']): string {
  if ('url' in at) return at.url;
  if ('socket' in at) return `socket ${at.socket}`;
  if ('cluster' in at) return `cluster ${at.cluster.join(', ')}`;
  return `sentinel ${at.sentinel.name} at ${at.sentinel.nodes.join(', ')}`;
}
