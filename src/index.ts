/**
 * The package as a library: a broker as a value, to be mounted in a host's own server.
 *
 *     const broker = await createBroker({ config: await loadConfig(file), storage: memoryStorage() });
 *     mountInExpress(app, broker);
 *
 * For a storage of the host's own there are the contract (`Storage` and what it names), the rules that a driver judges a
 * poll by, and the suites of `gatehouse-broker/contract`.
 */
export { type Broker, type BrokerOptions, createBroker } from './broker/broker.ts';
export type { Config } from './config/config.ts';
export { ConfigError } from './config/config-error.ts';
export { loadConfig } from './config/load-config.ts';
export { judgePace, type Pace, type PaceVerdict } from './grants/redeem/polling.ts';
export { decodeGrantHead, type GrantHead, isHolder } from './ledger/grant-head.ts';
export {
  type AttemptAt,
  type Change,
  type CommitOutcome,
  type Entry,
  type Holder,
  type IdsPiece,
  type Ledger,
  type PaceRule,
  type PollFacts,
  type Snapshot,
  StorageUnavailableError,
} from './ledger/ledger.ts';
export type { Counters, FullPlace, Place, Taking } from './limits/counters.ts';
export { type HostApp, mountInExpress } from './mount-in-express.ts';
export { type MemoryStorageOptions, memoryStorage } from './storage/memory/memory-storage.ts';
export { type RedisStorageOptions, redisStorage } from './storage/redis/redis-storage.ts';
export type { RedisSettings } from './storage/storage.ts';
export { type BrowserSessions, type Storage, StorageRefusedError } from './storage/storage.ts';
export { createLogger, type Logger } from './telemetry/logger.ts';
