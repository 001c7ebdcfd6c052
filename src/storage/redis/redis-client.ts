import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../storage.ts';
import { type RedisAccess, redisAccess } from './redis-access.ts';
import { isReadOnly } from './redis-failure.ts';

export type RedisClient = Redis | Cluster;

const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26379;

/** Makes the ioredis client for one of the kinds of Redis; it does not connect yet. */
export function createRedisClient(settings: RedisSettings, more: RedisOptions = {}): RedisClient {
  const { at, database } = settings;
  const retryStrategy = more.retryStrategy ?? ((attempt: number) => Math.min(50 * attempt, 1000));
  const options: RedisOptions = {
    lazyConnect: true,
    connectionName: 'gatehouse',
    disableClientInfo: true,
    connectTimeout: 3000,
    disconnectTimeout: 500,
    keepAlive: 10_000,
    // An unanswered command is sent again after a reconnect; every verb of the ledger is made to bear that.
    autoResendUnfulfilledCommands: true,
    // How long a command may wait is decided by RedisConnection, in time and not in attempts.
    maxRetriesPerRequest: null,
    // After a failover the old master answers READONLY on a connection that still stands: go and find the new one.
    reconnectOnError: isReadOnly,
    ...(database === undefined ? {} : { db: database }),
    ...redisAccess(settings),
    ...more,
  };
  if ('cluster' in at) return createCluster(at.cluster, settings, options, retryStrategy);
  const client = new Redis({
    ...placeOf(at),
    ...options,
    retryStrategy(attempt) {
      // The next connect shows what is in the files by then.
      Object.assign(client.options, redisAccess(settings));
      return retryStrategy(attempt);
    },
  });
  return client;
}

function createCluster(
  nodes: readonly string[],
  settings: RedisSettings,
  options: RedisOptions,
  retryStrategy: NonNullable<RedisOptions['retryStrategy']>,
): Cluster {
  const redisOptions = { ...options };
  // Each node is connected with a copy of these, made when it is needed: with what is in the files by then.
  for (const name of Object.keys(redisAccess(settings)) as (keyof RedisAccess)[]) {
    Object.defineProperty(redisOptions, name, { enumerable: true, get: () => redisAccess(settings)[name] });
  }
  return new Cluster(
    nodes.map((node) => hostAndPort(node, DEFAULT_PORT)),
    {
      lazyConnect: true,
      clusterRetryStrategy: (attempt) => retryStrategy(attempt) ?? null,
      // A slot whose master is failing over is asked for again every 100 ms; 3 s of that and RedisConnection has given up.
      maxRedirections: 32,
      // Certificates name hosts, not the addresses that a look-up gives.
      ...(options.tls === undefined ? {} : { dnsLookup: (host, done) => done(null, host) }),
      redisOptions,
    },
  );
}

function placeOf(at: Exclude<RedisSettings['at'], { cluster: unknown }>): RedisOptions {
  if ('url' in at) return addressIn(at.url);
  if ('socket' in at) return { path: at.socket };
  return {
    name: at.sentinel.name,
    sentinels: at.sentinel.nodes.map((node) => hostAndPort(node, SENTINEL_PORT)),
    sentinelCommandTimeout: 2000,
    failoverDetector: true,
    enableTLSForSentinelMode: true,
  };
}

/** The nodes that answer commands: one, or the masters of a cluster. */
export function answeringNodes(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

function addressIn(text: string): RedisOptions {
  const url = new URL(text);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || DEFAULT_PORT),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
  };
}

function hostAndPort(text: string, defaultPort: number): { host: string; port: number } {
  const url = new URL(`redis://${text}`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || defaultPort) };
}
