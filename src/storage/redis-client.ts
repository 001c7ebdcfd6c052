import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { isReadOnly } from './redis-failure.ts';
import type { RedisSettings } from './storage-settings.ts';

export type RedisClient = Redis | Cluster;

const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26379;

/** Makes the ioredis client for one of the three kinds of Redis; it does not connect yet. */
export function createRedisClient(settings: RedisSettings, more: RedisOptions = {}): RedisClient {
  const { at } = settings;
  const isTls = settings.tls !== undefined || ('url' in at && at.url.startsWith('rediss:'));
  const tls = isTls ? { tls: settings.tls?.ca === undefined ? {} : { ca: settings.tls.ca } } : {};
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
    retryStrategy: (attempt) => Math.min(50 * attempt, 1000),
    // After a failover the old master answers READONLY on a connection that still stands: go and find the new one.
    reconnectOnError: isReadOnly,
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password.reveal() }),
    ...tls,
    ...more,
  };
  if ('url' in at) {
    return new Redis({ ...addressIn(at.url), ...options });
  }
  if ('sentinel' in at) {
    const { name, nodes, password } = at.sentinel;
    return new Redis({
      ...options,
      name,
      sentinels: nodes.map((node) => hostAndPort(node, SENTINEL_PORT)),
      sentinelCommandTimeout: 2000,
      failoverDetector: true,
      ...(password === undefined ? {} : { sentinelPassword: password.reveal() }),
      ...(isTls ? { enableTLSForSentinelMode: true, sentinelTLS: tls.tls ?? {} } : {}),
    });
  }
  const nodes = at.cluster.map((node) => hostAndPort(node, DEFAULT_PORT));
  return new Cluster(nodes, {
    lazyConnect: true,
    clusterRetryStrategy: options.retryStrategy as (attempt: number) => number | null,
    // A slot whose master is failing over is asked for again every 100 ms; 3 s of that and RedisConnection has given up.
    maxRedirections: 32,
    // Certificates name hosts, not the addresses that a look-up gives.
    ...(isTls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    redisOptions: options,
  });
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
