import type { RedisSettings, StorageSettings } from '../storage/storage-settings.ts';
import type { ConfigFile } from './file-schema.ts';
import type { Reading } from './reading.ts';
import { parseUrl } from './web-address.ts';

type RedisSection = NonNullable<ConfigFile['storage']['redis']>;

export function readStorage(file: ConfigFile, reading: Reading): StorageSettings {
  const { driver: stated, redis } = file.storage;
  if (stated === undefined && file.public_url.startsWith('https:')) {
    const text = 'is missing, expected redis or memory: it must be stated when public_url is https';
    reading.problem(['storage', 'driver'], text, ['public_url']);
  }
  const driver = stated ?? (redis === undefined ? 'memory' : 'redis');
  if (driver === 'memory') {
    if (redis !== undefined) reading.warning(['storage', 'redis'], 'is not used with driver memory');
    return { driver };
  }
  if (redis === undefined) {
    const text = 'is missing, expected it with driver redis, such as { url: rediss://redis.internal:6379/0 }';
    reading.problem(['storage', 'redis'], text);
    return { driver: 'memory' };
  }
  return { driver, redis: readRedis(redis, reading) };
}

function readRedis(section: RedisSection, reading: Reading): RedisSettings {
  const path = ['storage', 'redis'];
  const ways = ['url', 'cluster', 'sentinel'] as const;
  const stated = ways.filter((way) => section[way] !== undefined);
  if (stated.length !== 1) {
    const text = `found ${stated.join(' and ') || 'none'}, expected exactly one of url, cluster and sentinel`;
    reading.problem(path, text, ...ways.map((way) => [...path, way]));
  }
  const username = section.username;
  const password = reading.secret([...path, 'password'], section.password);
  const ca = reading.publicText([...path, 'tls', 'ca'], section.tls?.ca);
  return {
    at: readPlace(section, reading),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(section.tls !== undefined && { tls: { ...(ca !== undefined && { ca }) } }),
    keyPrefix: section.key_prefix,
  };
}

function readPlace({ url, cluster, sentinel, tls }: RedisSection, reading: Reading): RedisSettings['at'] {
  const path = ['storage', 'redis'];
  if (cluster !== undefined) {
    if (cluster.length === 0)
      reading.problem([...path, 'cluster'], 'found an empty list, expected at least one host:port');
    return { cluster };
  }
  if (sentinel !== undefined) {
    const { name, nodes } = sentinel;
    if (nodes.length === 0) {
      reading.problem([...path, 'sentinel', 'nodes'], 'found an empty list, expected at least one host:port');
    }
    const password = reading.secret([...path, 'sentinel', 'password'], sentinel.password);
    return { sentinel: { name, nodes, ...(password !== undefined && { password }) } };
  }
  const parsed = parseUrl(url ?? '');
  const at = [...path, 'url'];
  // No message here repeats the URL: it may have a password in it.
  if (url !== undefined && parsed === undefined) reading.problem(at, 'is not a URL, expected rediss://host:port/db');
  else if (parsed !== undefined && /[?&](password|username)=/i.test(url ?? '')) {
    reading.problem(at, 'found credentials in the query of the URL, expected them as username and password beside it');
  } else if (parsed !== undefined && (parsed.password !== '' || parsed.username !== '')) {
    const what = parsed.password === '' ? 'a user name' : 'a password';
    const text = `found ${what} in the URL, expected username: and password: { env: NAME } or { file: PATH } beside it`;
    reading.problem(at, text);
  } else if (parsed?.protocol === 'redis:' && tls !== undefined) {
    reading.problem([...path, 'tls'], 'found with a redis:// URL, expected rediss:// there, or no tls here', at);
  }
  return { url: url ?? '' };
}
