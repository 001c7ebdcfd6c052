/**
 * `sessions` and `end`: what an administrator does to what is stored. They go to the storage, not to a running broker.
 */

import { createProcessContext } from '../../broker/context.ts';
import type { Config } from '../../config/config.ts';
import { configFile } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { SessionsDeps } from '../../device-sessions/active-session.ts';
import type { EndSessionDeps } from '../../device-sessions/end-session.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { redisStorage } from '../../storage/redis/redis-storage.ts';
import { StorageRefusedError } from '../../storage/storage.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { redisAway } from './redis-away.ts';

/** What an administrator's commands look at sessions with. */
export interface AdminContext {
  config: Config;
  sessions: SessionsDeps;
  end: EndSessionDeps;
  now(): Promise<number>;
  /** How many sessions could not be read so far. */
  unreadable(): number;
}

/**
 * Opens what the configuration names, lets a command work with it, and closes it again. Answers the exit code: 78 with
 * the memory driver, whose sessions are in the broker's own process, 69 when Redis does not answer.
 */
export async function withAdminContext(
  command: string,
  file: string | undefined,
  work: (admin: AdminContext) => Promise<number>,
): Promise<number> {
  const config = await loadConfig(configFile(file));
  if (config.storage.driver === 'memory') {
    const what = 'has storage.driver memory, so device sessions are in the memory of the broker process';
    complain(command, `${config.file} ${what}; sessions and end need Redis`);
    return EXIT.config;
  }
  const storage = redisStorage(config.storage.redis);
  try {
    await storage.open();
    const { sealing, randomBytes } = createProcessContext(config, { storage });
    const { ledger } = storage;
    let unreadable = 0;
    return await work({
      config,
      sessions: {
        ledger,
        sealing,
        clients: new Map(config.clients.map((client) => [client.id, client])),
        onUnreadable: () => {
          unreadable += 1;
        },
      },
      end: { ledger, sealing, randomBytes },
      now: () => ledger.now(),
      unreadable: () => unreadable,
    });
  } catch (error) {
    if (!(error instanceof StorageUnavailableError || error instanceof StorageRefusedError)) throw error;
    const { redis } = config.storage;
    const isRefused = error instanceof StorageRefusedError;
    complain(
      command,
      `${isRefused ? error.message : `Redis is away: ${redisAway(redis, error)}`} (storage of ${config.file})`,
    );
    return isRefused ? EXIT.config : EXIT.unavailable;
  } finally {
    await storage.close();
  }
}
