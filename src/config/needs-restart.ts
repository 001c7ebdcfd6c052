import { isSameSettings } from '../sealing/same-settings.ts';
import type { StorageSettings } from '../storage/storage.ts';
import type { Config } from './config.ts';

/** What stands in the YAML for that which a running process cannot change. */
const FIXED: Readonly<Record<string, (config: Config) => unknown>> = {
  public_url: (config) => config.publicUrl,
  // A certificate is renewed while connections stand.
  listen: ({ listen: { tls, ...place } }) => ({ ...place, isTls: tls !== undefined }),
  operations: (config) => config.operations,
  workers: (config) => config.workers,
  storage: (config) => withoutRenewed(config.storage),
  'keys.sealing': (config) => config.sealing,
  compatibility: (config) => config.compatibility,
};

/** The same where workers serve, and new ones take the place of those that run: what the process above them has itself. */
const FIXED_ABOVE_WORKERS: typeof FIXED = {
  operations: (config) => config.operations,
  // With one there is no process above it.
  workers: ({ workers }) => workers > 1,
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
  return differing(FIXED, old, next);
}

/** The same of the process above the workers: only what new workers do not bring either. */
export function diffNeedingRestartAboveWorkers(old: Config, next: Config): string[] {
  return differing(FIXED_ABOVE_WORKERS, old, next);
}

function differing(fixed: typeof FIXED, old: Config, next: Config): string[] {
  return Object.entries(fixed)
    .filter(([, slice]) => !isSameSettings(slice(old), slice(next)))
    .map(([key]) => key);
}

/** `next`, with what was fixed at the start as it was started, so that a half of it cannot change. */
export function withoutRestart(started: Config, next: Config): Config {
  const { publicUrl, listen, operations, workers, storage, sealing, compatibility } = started;
  const { tls } = next.listen;
  const sameListener = listen.tls === undefined || tls === undefined ? listen : { ...listen, tls };
  return { ...next, publicUrl, listen: sameListener, operations, workers, storage, sealing, compatibility };
}

/** One process needs neither a storage nor keys that others share: who asks for one gets them by a restart. */
export function withoutRestartAboveWorkers(inForce: Config, next: Config): Config {
  const { operations, workers, storage, sealing, signing } = inForce;
  return next.workers > 1 ? { ...next, operations } : { ...next, operations, workers, storage, sealing, signing };
}
