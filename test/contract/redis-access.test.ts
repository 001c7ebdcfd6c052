import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/ledger/ledger.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { inspectRedis, redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { type RedisSettings, StorageRefusedError } from '../../src/storage/storage.ts';
import { asAdministrator, LEAST_USER } from '../support/broker/least-rights.ts';
import { freePort, startRedisCluster, startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { selfSigned } from '../support/samples/self-signed.ts';

const stops: (() => unknown)[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function server(options: readonly string[] = [], ...rights: string[]): Promise<TestRedis> {
  const redis = await startRedisServer(options, ...rights);
  stops.push(() => redis.stop());
  return redis;
}

/** A user of the broker's own storage, with what it said to the log. */
function storageAt(settings: RedisSettings) {
  const said: string[] = [];
  const logger = { event: (name: string, fields?: object) => void said.push(`${name} ${JSON.stringify(fields)}`) };
  const storage = redisStorage(settings, { waitMs: 1500, logger });
  stops.push(() => storage.close());
  return { storage, said };
}

async function administrator(settings: RedisSettings) {
  const client = createRedisClient(asAdministrator(settings));
  stops.push(() => client.disconnect());
  await client.connect();
  return client;
}

/** As a rotation does it: the new file takes the place of the old one. */
async function place(name: string, content: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(`${file}~`, content);
  await rename(`${file}~`, file);
  return file;
}

const later = () => Date.now() + 60_000;
const write = (key: string): Change => ({ attempt: 'a', writes: [{ key, value: 'a|x', expiresAtMs: later() }] });

describe('a database of its own', () => {
  it('is used, with the rights of docs/operations/redis.md and +select', async () => {
    const redis = await server([], '+select');
    const settings = redis.settings({ at: { url: `${redis.url}/3` } });
    const { storage } = storageAt(settings);
    await storage.open();
    await storage.ledger.commit(write('code:1'));
    const admin = await administrator(redis.settings());
    expect(await admin.call('DBSIZE')).toBe(0);
    await admin.call('SELECT', '3');
    expect(await admin.call('DBSIZE')).toBe(1);
    expect((await inspectRedis(settings)).problems).toEqual([]);
  });

  it('may have any number that the server has', async () => {
    const redis = await server(['--databases', '64'], '+select');
    const settings = redis.settings({ at: { url: `${redis.url}/63` } });
    const { storage } = storageAt(settings);
    await storage.open();
    await storage.ledger.commit(write('code:1'));
    const admin = await administrator(redis.settings());
    await admin.call('SELECT', '63');
    expect(await admin.call('DBSIZE')).toBe(1);
  });

  it.each([
    ['without the right to say SELECT', [], 3, /may not say SELECT.*allow \+select/],
    ['where there is no such database', ['+select'], 99, /refuses the database \(ERR DB index is out of range\)/],
  ])('is refused %s, and nothing lands in database 0', async (_, rights, database, words) => {
    const redis = await server([], ...rights);
    const settings = redis.settings({ at: { url: `${redis.url}/${database}` } });
    const { storage } = storageAt(settings);
    const refusal = await storage.open().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StorageRefusedError);
    expect((refusal as Error).message).toMatch(words);
    await expect(storage.ledger.commit(write('code:1'))).rejects.toThrow();
    expect(await (await administrator(redis.settings())).call('DBSIZE')).toBe(0);
    expect((await inspectRedis(settings)).problems).toEqual([expect.stringMatching(words)]);
  });

  it('that is taken away later is an outage, and nothing lands in database 0', async () => {
    const redis = await server([], '+select');
    const { storage, said } = storageAt(redis.settings({ at: { url: `${redis.url}/3` } }));
    await storage.open();
    const admin = await administrator(redis.settings());
    await admin.call('ACL', 'SETUSER', LEAST_USER.username, '-select');
    await admin.call('CLIENT', 'KILL', 'USER', LEAST_USER.username);
    await expect(storage.ledger.commit(write('code:1'))).rejects.toThrow();
    expect(await admin.call('DBSIZE')).toBe(0);
    expect(said.join('\n')).toMatch(/storage\.unavailable .*NOPERM.*select/);
    await admin.call('ACL', 'SETUSER', LEAST_USER.username, '+select');
    await expect.poll(() => storage.isReady(), { timeout: 10_000 }).toBe(true);
    await storage.ledger.commit(write('code:2'));
    expect(await admin.call('DBSIZE')).toBe(0);
  });
});

describe('a password in a file', () => {
  async function rotate(settings: RedisSettings, admins: Awaited<ReturnType<typeof administrator>>[]) {
    const { storage, said } = storageAt(settings);
    await storage.open();
    await place('password', 'the-second-password\n');
    for (const admin of admins) {
      await admin.call('ACL', 'SETUSER', LEAST_USER.username, 'resetpass', '>the-second-password');
      await admin.call('CLIENT', 'KILL', 'USER', LEAST_USER.username);
    }
    await expect.poll(() => storage.isReady(), { timeout: 10_000 }).toBe(true);
    await storage.ledger.commit(write('code:1'));
    return said;
  }

  it('is read at each connect', async () => {
    const redis = await server();
    const files = { password: await place('password', LEAST_USER.password.reveal()) };
    const said = await rotate(redis.settings({ ...LEAST_USER, files }), [await administrator(redis.settings())]);
    expect(said.join('\n')).not.toMatch(/WRONGPASS|the-second-password/);
  });

  it('is read at each connect of each node of a cluster', { timeout: 30_000 }, async () => {
    const cluster = await startRedisCluster();
    stops.push(() => cluster.stop());
    const admins = await Promise.all(cluster.servers.map((redis) => administrator(redis.settings())));
    const files = { password: await place('password', LEAST_USER.password.reveal()) };
    const keyPrefix = 'gatehouse:c:';
    await rotate({ at: { cluster: cluster.nodes }, ...LEAST_USER, files, keyPrefix }, admins);
  });

  it('that does not fit any more is told as WRONGPASS, and the next one is tried without a restart', async () => {
    const redis = await server();
    const files = { password: await place('password', LEAST_USER.password.reveal()) };
    const { storage, said } = storageAt(redis.settings({ ...LEAST_USER, files }));
    await storage.open();
    const admin = await administrator(redis.settings());
    await admin.call('ACL', 'SETUSER', LEAST_USER.username, 'resetpass', '>the-third-password');
    await admin.call('CLIENT', 'KILL', 'USER', LEAST_USER.username);
    await expect.poll(() => said.join('\n'), { timeout: 10_000 }).toMatch(/storage\.unavailable .*WRONGPASS/);
    await place('password', 'the-third-password');
    await expect.poll(() => storage.isReady(), { timeout: 10_000 }).toBe(true);
  });

  it('that is being written, or is gone, leaves the last one', async () => {
    const redis = await server();
    const files = { password: join(folder, 'nowhere') };
    const { storage } = storageAt(redis.settings({ ...LEAST_USER, files }));
    await storage.open();
    expect(await storage.isReady()).toBe(true);
  });
});

describe('Redis’ own TLS', () => {
  it('wants our certificate, and takes the one that is in the file at the next connect', async () => {
    const [known, unknown] = [selfSigned(), selfSigned()];
    const tlsPort = await freePort();
    const [cert, key] = [await place('redis.cert', known.cert), await place('redis.key', known.key)];
    const tls = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'yes', '--tls-ca-cert-file', cert];
    const redis = await server([...tls, '--tls-cert-file', cert, '--tls-key-file', key]);
    const at = { url: `rediss://127.0.0.1:${tlsPort}` };
    const withoutOne = redis.settings({ ...LEAST_USER, at, tls: { ca: known.cert } });
    await expect(inspectRedis(withoutOne)).rejects.toThrow();

    const files = { cert: await place('cert', unknown.cert), key: await place('key', unknown.key) };
    const shown = { ca: known.cert, cert: unknown.cert, key: new Secret(unknown.key) };
    const { storage } = storageAt(redis.settings({ ...LEAST_USER, at, tls: shown, files }));
    await storage.open();
    expect(await storage.isReady()).toBe(false);
    await place('cert', known.cert);
    await place('key', known.key);
    await expect.poll(() => storage.isReady(), { timeout: 10_000 }).toBe(true);
    await storage.ledger.commit(write('code:1'));
  });
});

describe('a unix socket', () => {
  it('leads to Redis, with a database and the least rights', async () => {
    const socket = join(folder, 'redis.sock');
    const redis = await server(['--unixsocket', socket], '+select');
    const settings = redis.settings({ ...LEAST_USER, at: { socket }, database: 2 });
    const { storage } = storageAt(settings);
    await storage.open();
    await storage.ledger.commit(write('code:1'));
    const admin = await administrator(redis.settings());
    await admin.call('SELECT', '2');
    expect(await admin.call('DBSIZE')).toBe(1);
    expect((await inspectRedis(settings)).problems).toEqual([]);
  });
});
