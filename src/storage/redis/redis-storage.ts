/**
 * The driver for many processes: a connection, its command queue, and one script for what must be one step. No rule of a
 * grant is here but the pace of polls, which must be judged where it is moved (decision 0003).
 */

import type { Logger } from '../../telemetry/logger.ts';
import type { RedisSettings, Storage, StorageRefusedError } from '../storage.ts';
import { redisBrowserSessions } from './redis-browser-sessions.ts';
import { createRedisClient } from './redis-client.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisCounters } from './redis-counters.ts';
import { RedisKeys } from './redis-keys.ts';
import { RedisLedger } from './redis-ledger.ts';

export { inspectRedis, type RedisInspection } from './redis-inspection.ts';

/**
 * @example
 * ```ts
 * import { createLogger, type RedisStorageOptions } from 'gatehouse-broker';
 *
 * const options: RedisStorageOptions = {
 *   logger: createLogger({ level: 'info' }),
 *   onRefused: ({ message }) => {
 *     console.error(message);
 *     process.exitCode = 78;
 *   },
 * };
 * ```
 */
export interface RedisStorageOptions {
  /** Added to Redis' clock wherever time is judged; for tests, which move time so. */
  clockOffsetMs?: () => number;
  /** The most that one command waits for Redis in all. */
  waitMs?: number;
  /** The most commands that wait at once; the next is refused at once. */
  maxWaiting?: number;
  logger?: Pick<Logger, 'event'>;
  /** Called when a Redis that was away at start must, once it is there, not be used; `open` throws the same before. */
  onRefused?: (error: StorageRefusedError) => void;
}

/**
 * Keeps everything in a Redis (single, Sentinel or Cluster) that many replicas share. Nothing is asked before `open`.
 *
 * @example
 * ```ts
 * import { createBroker, loadConfig, redisStorage } from 'gatehouse-broker';
 *
 * const config = await loadConfig('gatehouse.yaml');
 * if (config.storage.driver !== 'redis') throw new Error('storage.driver: redis');
 * const storage = redisStorage(config.storage.redis);
 * await storage.open();
 * const broker = await createBroker({ config, storage });
 * ```
 */
export function redisStorage(settings: RedisSettings, options: RedisStorageOptions = {}): Storage {
  const { clockOffsetMs, waitMs = 3000, maxWaiting = 10_000, logger, onRefused } = options;
  const keys = new RedisKeys(settings.keyPrefix);
  const connection = new RedisConnection(createRedisClient(settings), { waitMs, maxWaiting, logger, onRefused });
  return {
    kind: 'redis',
    ledger: new RedisLedger(connection, keys, clockOffsetMs),
    counters: redisCounters(connection, keys),
    browserSessions: redisBrowserSessions(connection, keys),
    open: () => connection.open(),
    isReady: () => connection.isReady(),
    close: () => connection.close(),
  };
}
