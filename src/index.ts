/**
 * The package as a library: a broker as a value, to be mounted in a host's own server.
 *
 *     const broker = await createBroker({ config: await loadConfig(file), storage: memoryStorage() });
 *     mountInExpress(app, broker);
 */
export { type Broker, type BrokerOptions, createBroker } from './broker.ts';
export type { Config } from './config/config.ts';
export { ConfigError } from './config/config-error.ts';
export { loadConfig } from './config/load-config.ts';
export { mountInExpress } from './mount-in-express.ts';
export { memoryStorage } from './storage/memory-storage.ts';
export { redisStorage } from './storage/redis-storage.ts';
export type { Storage } from './storage/storage.ts';
