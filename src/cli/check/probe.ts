import type { Config } from '../../config/config.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { RedisSettings } from '../../storage/storage.ts';
import { redisAway } from '../admin/redis-away.ts';
import type { Finding } from './check-report.ts';
import { claimFindings, operatorFindings } from './claim-findings.ts';
import type { OldKey } from './old-sealing-keys.ts';

type Say = (finding: Finding) => void;

/** Asks everything that the broker would stand on; answers whether all of it is there and as it must be. */
export async function probe(config: Config, say: Say): Promise<boolean> {
  const fine = [await probeStorage(config, say), await probeUpstreams(config, say)];
  return fine.every(Boolean);
}

async function probeStorage({ storage, sealing }: Config, say: Say): Promise<boolean> {
  if (storage.driver === 'memory') return true;
  if (!(await probeRedis(storage.redis, say))) return false;
  if (sealing === undefined) return true;
  const { countOldSealingKeys } = await import('./old-sealing-keys.ts');
  const counts = await countOldSealingKeys(storage.redis, sealing);
  for (const key of counts) say(sealingKeyFinding(key));
  return counts.every(({ index }) => index !== undefined);
}

function sealingKeyFinding({ index, name, entries }: OldKey): Finding {
  if (index === undefined) {
    const text = `it is named by ${entries} grants and sessions and is not there: put it back until they have ended`;
    return { about: `keys.sealing (${name})`, level: 'wrong', text };
  }
  // One that was appended a moment ago looks the same as one that has done its work.
  const advice =
    entries > 0
      ? 'keep it until they have ended'
      : 'if it is new, move it first once all replicas have it; if it came first before, it can be taken out';
  const text = `${entries} grants and sessions name it; ${advice}`;
  return { about: `keys.sealing[${index}] (${name})`, level: 'note', text };
}

async function probeRedis(settings: RedisSettings, say: Say): Promise<boolean> {
  const { inspectRedis } = await import('../../storage/redis/redis-inspection.ts');
  try {
    const { version, policy, problems, advice } = await inspectRedis(settings);
    for (const text of problems) say({ about: 'Redis', level: 'wrong', text });
    for (const text of advice) say({ about: 'Redis', level: 'advice', text });
    const text = `version ${version}, maxmemory-policy ${policy || 'noeviction'}`;
    if (problems.length === 0) say({ about: 'Redis', level: 'ok', text });
    return problems.length === 0;
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    say({ about: 'Redis', level: 'away', text: redisAway(settings, error) });
    return false;
  }
}

async function probeUpstreams(config: Config, say: Say): Promise<boolean> {
  const { openIdUpstream } = await import('../../upstream/openid-upstream.ts');
  const results = await Promise.all(
    config.upstreams.map(async (settings) => {
      const upstream = openIdUpstream(settings, { clock: Date.now });
      return { settings, ...(await upstream.probe(config.publicUrl)) };
    }),
  );
  for (const { settings, findings, offered } of results) {
    const about = `upstream ${settings.id}`;
    for (const { level, text } of findings) say({ about, level, text });
    if (offered === undefined) continue;
    const lacking = [
      ...claimFindings(settings, config.clients, offered),
      ...operatorFindings(settings, config.admin, offered),
    ];
    for (const text of lacking) say({ about, level: 'missing', text });
  }
  return results.every(({ ok }) => ok);
}
