import { memoryStorage } from './memory/memory-storage.ts';
import type { RedisStorageOptions } from './redis/redis-storage.ts';
import type { Storage, StorageSettings } from './storage.ts';

/**
 * Makes the storage that the configuration names, and opens it. ioredis is loaded only where it is used: it is a tenth
 * of what a start with the memory driver may take.
 *
 * @throws {StorageRefusedError}
 */
export async function openStorage(settings: StorageSettings, options: RedisStorageOptions = {}): Promise<Storage> {
  const storage =
    settings.driver === 'memory'
      ? memoryStorage()
      : (await import('./redis/redis-storage.ts')).redisStorage(settings.redis, options);
  await storage.open();
  return storage;
}
