import type { Config } from '../config/config.ts';
import { StorageUnavailableError } from '../grants/ledger.ts';
import type { RedisSettings } from '../storage/storage-settings.ts';
import { redirectUri } from './redirect-uri.ts';
import { redisAway } from './redis-away.ts';

type Say = (line: string) => void;

/** Asks everything that the broker would stand on; answers whether all of it is there and as it must be. */
export async function probe(config: Config, say: Say): Promise<boolean> {
  const fine = [await probeStorage(config, say), await probeUpstreams(config, say)];
  return fine.every(Boolean);
}

async function probeStorage({ storage, sealing }: Config, say: Say): Promise<boolean> {
  if (storage.driver === 'memory') return true;
  if (!(await probeRedis(storage.redis, say))) return false;
  if (sealing === undefined || sealing.keys.length < 2) return true;
  const { countOldSealingKeys } = await import('./old-sealing-keys.ts');
  const counts = await countOldSealingKeys(storage.redis, sealing);
  for (const { index, name, entries } of counts) {
    const advice = entries === 0 ? 'it can be taken out' : 'keep it until they have ended';
    say(`keys.sealing[${index}] (${name}): ${entries} grants and sessions name it; ${advice}`);
  }
  return true;
}

async function probeRedis(settings: RedisSettings, say: Say): Promise<boolean> {
  const { inspectRedis } = await import('../storage/redis-inspection.ts');
  try {
    const { version, policy, problems, advice } = await inspectRedis(settings);
    for (const problem of problems) say(`Redis: wrong: ${problem}`);
    for (const text of advice) say(`Redis: advice: ${text}`);
    if (problems.length === 0) say(`Redis: ok: version ${version}, maxmemory-policy ${policy || 'noeviction'}`);
    return problems.length === 0;
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    say(`Redis: away: ${redisAway(settings, error)}`);
    return false;
  }
}

async function probeUpstreams(config: Config, say: Say): Promise<boolean> {
  const { openIdUpstream } = await import('../upstream/openid-upstream.ts');
  const results = await Promise.all(
    config.upstreams.map(async (settings) => {
      const upstream = openIdUpstream(settings, { clock: Date.now });
      return { id: settings.id, ...(await upstream.probe(redirectUri(config, settings.id))) };
    }),
  );
  for (const { id, findings } of results) {
    for (const { level, text } of findings) say(`upstream ${id}: ${level}: ${text}`);
  }
  return results.every(({ ok }) => ok);
}
