import type { Redis } from 'ioredis';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { RedisSettings } from '../storage.ts';
import { answeringNodes, createRedisClient } from './redis-client.ts';
import { isAccessRefused, isDatabaseRefused, unavailable, wordsOf } from './redis-failure.ts';

export interface RedisInspection {
  version: string;
  policy: string;
  /** Why it must not be used, each with what to do. */
  problems: string[];
  /** What works, and would be better otherwise. */
  advice: string[];
}

const MIN_VERSION = '6.2';
const ADVISED_VERSION = '7.0';

/** Connects once and asks, for `gatehouse check --probe`. @throws {StorageUnavailableError} when Redis is away */
export async function inspectRedis(settings: RedisSettings, waitMs = 3000): Promise<RedisInspection> {
  const client = createRedisClient(settings, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let seen: Error | undefined;
  client.on('error', (error: Error) => {
    seen ??= error;
  });
  const tooLate = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new StorageUnavailableError(`no answer within ${waitMs} ms`)), waitMs).unref();
  });
  try {
    const asked = client.connect().then(() => inspectNodes(answeringNodes(client)));
    const inspection = await Promise.race([asked, tooLate]);
    const refusal = seen === undefined ? undefined : refusalIn(seen);
    return refusal === undefined ? inspection : { ...inspection, problems: [refusal, ...inspection.problems] };
  } catch (error) {
    const cause = seen ?? error;
    const refusal = cause instanceof Error ? refusalIn(cause) : undefined;
    if (refusal !== undefined) return { version: '', policy: '', problems: [refusal], advice: [] };
    throw unavailable(cause);
  } finally {
    client.disconnect();
  }
}

/** Asks all masters; the weakest one speaks for all. */
export async function inspectNodes(nodes: readonly Redis[]): Promise<RedisInspection> {
  const each = await Promise.all(nodes.map(inspectNode));
  const worst = each.find(({ problems }) => problems.length > 0) ?? each[0];
  return worst ?? { version: '', policy: '', problems: [], advice: [] };
}

async function inspectNode(node: Redis): Promise<RedisInspection> {
  let info: Map<string, string>;
  try {
    info = fields(`${await node.info('server')}\r\n${await node.info('memory')}`);
  } catch (error) {
    if (error instanceof Error && error.message.includes('NOPERM')) {
      const problem = 'the ACL user may not say INFO, by which version and maxmemory-policy are read: allow +info';
      return { version: '', policy: '', problems: [problem], advice: [] };
    }
    throw error;
  }
  const version = info.get('redis_version') ?? '';
  const policy = info.get('maxmemory_policy') ?? '';
  const problems: string[] = [];
  const advice: string[] = [];
  if (policy !== '' && policy !== 'noeviction') {
    problems.push(
      `maxmemory-policy is ${policy}, with which a full Redis forgets decisions and spent codes: set it to noeviction`,
    );
  }
  if (isBelow(version, MIN_VERSION)) {
    problems.push(`Redis is ${version}, and ${MIN_VERSION} is the oldest that can do what is needed`);
  } else if (isBelow(version, ADVISED_VERSION)) {
    advice.push(`Redis is ${version}; ${ADVISED_VERSION} or newer is advised`);
  }
  return { version, policy, problems, advice };
}

/** Why Redis lets this user in nowhere, or not where it should; `undefined` where it is something else. */
export function refusalIn(error: Error): string | undefined {
  const [code = ''] = wordsOf(error).message.split(' ', 1);
  if (isAccessRefused(error)) return `Redis refuses the user name or password (${code})`;
  if (!isDatabaseRefused(error)) return undefined;
  const { message } = wordsOf(error);
  return code === 'NOPERM'
    ? 'the ACL user may not say SELECT, which a database other than 0 needs: allow +select, or leave the number out'
    : `Redis refuses the database (${message}): name one that it has, or leave the number out`;
}

function fields(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line): [string, string][] => {
      const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

function isBelow(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return version !== '' && (major < leastMajor || (major === leastMajor && minor < leastMinor));
}
