import { MAX_REDIS_DATABASE, type RedisSettings, type StorageSettings } from '../../storage/storage.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
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
  const ways = ['url', 'socket', 'cluster', 'sentinel'] as const;
  const stated = ways.filter((way) => section[way] !== undefined);
  if (stated.length !== 1) {
    const text = `found ${stated.join(' and ') || 'none'}, expected exactly one of url, socket, cluster and sentinel`;
    reading.problem(path, text, ...ways.map((way) => [...path, way]));
  }
  const { username, database, tls } = section;
  if (database !== undefined && section.socket === undefined && section.sentinel === undefined) {
    const text = 'found without socket or sentinel, expected it at the end of the url, or left out with a cluster';
    reading.problem([...path, 'database'], text, ...ways.map((way) => [...path, way]));
  }
  const password = reading.secret([...path, 'password'], section.password);
  return {
    at: readPlace(section, reading),
    ...(database !== undefined && { database }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: readTls(tls, reading) }),
    ...readFiles(section, reading),
    keyPrefix: section.key_prefix,
  };
}

function readTls(tls: NonNullable<RedisSection['tls']>, reading: Reading): NonNullable<RedisSettings['tls']> {
  const path = ['storage', 'redis', 'tls'];
  const ca = reading.publicText([...path, 'ca'], tls.ca);
  const cert = reading.publicText([...path, 'cert'], tls.cert);
  const key = reading.secret([...path, 'key'], tls.key);
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const missing = tls.cert === undefined ? 'cert' : 'key';
    reading.problem([...path, missing], 'is missing, expected cert and key together');
  }
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

/** What is read again at each connect. */
function readFiles({ password, sentinel, tls }: RedisSection, reading: Reading): Pick<RedisSettings, 'files'> {
  const path = ['storage', 'redis'];
  const stated = {
    password: [password, [...path, 'password']],
    sentinelPassword: [sentinel?.password, [...path, 'sentinel', 'password']],
    ca: [tls?.ca, [...path, 'tls', 'ca']],
    cert: [tls?.cert, [...path, 'tls', 'cert']],
    key: [tls?.key, [...path, 'tls', 'key']],
  } as const;
  const files = Object.entries(stated).flatMap(([name, [ref, at]]) =>
    ref?.file === undefined ? [] : [[name, reading.resolve(at, ref.file)] as const],
  );
  return files.length === 0 ? {} : { files: Object.fromEntries(files) };
}

function readPlace(section: RedisSection, reading: Reading): RedisSettings['at'] {
  const path = ['storage', 'redis'];
  const { url, socket, cluster, sentinel, tls } = section;
  if (cluster !== undefined) {
    if (cluster.length === 0) {
      reading.problem([...path, 'cluster'], 'found an empty list, expected at least one host:port');
    }
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
  if (socket !== undefined) {
    if (tls !== undefined) {
      reading.problem([...path, 'tls'], 'found with a socket, expected none: it stays on this machine');
    }
    return { socket: reading.resolve([...path, 'socket'], socket) };
  }
  const fault = url === undefined ? undefined : faultOfUrl(url);
  if (fault !== undefined) reading.problem([...path, 'url'], fault);
  else if (url?.startsWith('redis:') === true && tls !== undefined) {
    const text = 'found with a redis:// URL, expected rediss:// there, or no tls here';
    reading.problem([...path, 'tls'], text, [...path, 'url']);
  }
  return { url: url ?? '' };
}

/** No message here repeats the URL: it may have a password in it. */
function faultOfUrl(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined || url.hostname === '') return 'is not a URL, expected rediss://host:port/db';
  if (/[?&](password|username)=/i.test(text)) {
    return 'found credentials in the query of the URL, expected them as username and password beside it';
  }
  if (url.password !== '' || url.username !== '') {
    const what = url.password === '' ? 'a user name' : 'a password';
    return `found ${what} in the URL, expected username: and password: { env: NAME } or { file: PATH } beside it`;
  }
  if (/[?#]/.test(text)) {
    const names = [...url.searchParams.keys()].filter((name) => /^\w{1,30}$/.test(name)).join(', ');
    return `found ${names || 'something'} after the address, where nothing is read, expected rediss:// for TLS, the database as /db, all else as keys beside it`;
  }
  return /^\/?(0|[1-9]\d*)?$/.test(url.pathname) && Number(url.pathname.slice(1)) <= MAX_REDIS_DATABASE
    ? undefined
    : 'found a path that is no database, expected its number after the port, from 0, or nothing';
}
