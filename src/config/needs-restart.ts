import { isSameSettings } from '../sealing/same-settings.ts';
import type { StorageSettings } from '../storage/storage.ts';
import type { Config } from './config.ts';

/** What stands in the YAML for that which a running process cannot change. */
const FIXED: Readonly<Record<string, (config: Config) => unknown>> = {
  public_url: (config) => config.publicUrl,
  // A certificate is renewed while connections stand.
  listen: ({ listen: { tls, ...place } }) => ({ ...place, isTls: tls !== undefined }),
  operations: (config) => config.operations,
  storage: (config) => withoutRenewed(config.storage),
  'keys.sealing': (config) => config.sealing,
  compatibility: (config) => config.compatibility,
};

/** Without what Redis is shown anew at each connect: a changed password or certificate in a file needs no restart. */
function withoutRenewed(storage: StorageSettings): unknown {
  if (storage.driver === 'memory') return storage;
  const { files = {}, password, tls, at, ...rest } = storage.redis;
  const { ca, cert, key } = tls ?? {};
  const ofSentinel = 'sentinel' in at ? at.sentinel.password : undefined;
  const kept = { password, ca, cert, key, sentinelPassword: ofSentinel };
  const entries = Object.entries(kept).filter(([name]) => !Object.hasOwn(files, name));
  const place = 'sentinel' in at ? { ...at.sentinel, password: undefined } : at;
  return { ...rest, files, place, isTls: tls !== undefined, kept: Object.fromEntries(entries) };
}

/** The keys that a reload cannot bring into force; all others take effect at once. */
export function diffNeedingRestart(old: Config, next: Config): string[] {
  return Object.entries(FIXED)
    .filter(([, slice]) => !isSameSettings(slice(old), slice(next)))
    .map(([key]) => key);
}
