import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';
import { readSecretText } from '../../sealing/secret-text.ts';
import type { RedisSettings } from '../storage.ts';

export type RedisAccess = Pick<RedisOptions, 'username' | 'password' | 'sentinelPassword' | 'tls' | 'sentinelTLS'>;

/**
 * What Redis is shown at a connect: who we are, and whom we trust. Files are read each time, since passwords and
 * certificates are changed while a broker runs; one that cannot be read, or is being written, leaves what was known.
 */
export function redisAccess({ at, username, password, tls, files = {} }: RedisSettings): RedisAccess {
  const isTls = tls !== undefined || ('url' in at && at.url.startsWith('rediss:'));
  const secret = readAgain(files.password) ?? password?.reveal();
  const ofSentinel = 'sentinel' in at ? at.sentinel.password?.reveal() : undefined;
  const sentinelPassword = readAgain(files.sentinelPassword) ?? ofSentinel;
  const shown = {
    ca: readAgain(files.ca) ?? tls?.ca,
    cert: readAgain(files.cert) ?? tls?.cert,
    key: readAgain(files.key) ?? tls?.key?.reveal(),
  };
  const certificates = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
  return {
    ...(username !== undefined && { username }),
    ...(secret !== undefined && { password: secret }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(isTls && { tls: certificates }),
    ...(isTls && 'sentinel' in at && { sentinelTLS: certificates }),
  };
}

function readAgain(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const { value, fault } = readSecretText(readFileSync(file, 'utf8'));
    return fault === undefined && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}
