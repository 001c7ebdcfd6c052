import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACE_RULE } from '../../src/grants/redeem/polling.ts';
import { encodeGrantHead } from '../../src/ledger/grant-head.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { RedisConnection } from '../../src/storage/redis/redis-connection.ts';
import { type RedisStorageOptions, redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { RedisSettings, Storage } from '../../src/storage/storage.ts';
import { asAdministrator } from '../support/broker/least-rights.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';

const MINUTE = 60_000;
const HOLDER = { clientId: 'tv', challenge: '', jkt: '' };

let redis: TestRedis;
let proxy: TcpProxy;
let settings: RedisSettings;
const opened: Storage[] = [];

beforeEach(async () => {
  redis = await startRedisServer();
  proxy = await tcpProxy(redis.port);
  settings = redis.settings();
});

afterEach(async () => {
  redis.thaw();
  await Promise.all(opened.splice(0).map((storage) => storage.close()));
  await proxy.close();
  await redis.stop();
});

/** A storage that reaches Redis through the proxy. */
async function throughProxy(options: RedisStorageOptions = {}): Promise<Storage> {
  return open({ ...settings, at: { url: `redis://127.0.0.1:${proxy.port}` } }, options);
}

async function open(at: RedisSettings, options: RedisStorageOptions = {}): Promise<Storage> {
  const storage = redisStorage(at, options);
  opened.push(storage);
  await storage.open();
  return storage;
}

async function write(storage: Storage, key: string, attempt: string, more: { notAfterMs?: number } = {}) {
  return storage.ledger.commit({
    attempt,
    writes: [{ key, value: `${attempt}|`, expiresAtMs: Date.now() + MINUTE }],
    ...more,
  });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await isSo())) {
    expect(performance.now() - start, 'it did not happen within 10 s').toBeLessThan(10_000);
    await delay(10);
  }
}

describe('a reply that is lost after Redis has acted', () => {
  it('still makes the caller of a commit its winner, and nobody else', async () => {
    const storage = await throughProxy();
    const other = await open(settings);
    await write(storage, '{warm}:up', 'w');
    for (let round = 0; round < 10; round += 1) {
      proxy.cutBeforeNextReply();
      const first = write(storage, `{${round}}:spent`, 'first');
      await until(async () => (await other.ledger.read([`{${round}}:spent`])).values[0] !== undefined);
      expect((await write(other, `{${round}}:spent`, 'second')).outcome).toBe('lost');
      expect((await first).outcome).toBe('won');
    }
  });

  it('does not count a poll twice', async () => {
    const storage = await throughProxy();
    const nowMs = await storage.ledger.now();
    const times = { intervalMs: 5000, expiresAtMs: nowMs + MINUTE, keptUntilMs: nowMs + MINUTE };
    const value = encodeGrantHead({ attempt: 'a', ...HOLDER, ...times });
    const grant = { key: '{id}:grant', value, expiresAtMs: nowMs + MINUTE };
    await storage.ledger.commit({ attempt: 'a', writes: [grant] });
    await storage.ledger.poll('id', HOLDER, PACE_RULE);
    await delay(1100);
    proxy.cutBeforeNextReply();
    const facts = await storage.ledger.poll('id', HOLDER, PACE_RULE);
    expect(facts).toEqual({ state: 'pending', pace: 'too_early', intervalMs: 10_000 });
  });

  it('leaves a lease with the one who took it', async () => {
    const storage = await throughProxy();
    proxy.cutBeforeNextReply();
    expect(await storage.ledger.lease('{id}:refreshing:0', 'mine', 15_000)).toBe(true);
  });
});

describe('while Redis is away', () => {
  it('a command waits, and is answered when Redis is back in time', async () => {
    const storage = await throughProxy();
    await redis.kill();
    const asked = write(storage, 'code:1', 'a');
    await delay(200);
    await redis.restart();
    expect((await asked).outcome).toBe('won');
  });

  it('a command that was under way when it went is sent again when it is back', async () => {
    const storage = await throughProxy();
    redis.freeze();
    const asked = write(storage, 'code:1', 'a');
    await delay(50);
    await redis.kill();
    await delay(600);
    await redis.restart();
    expect((await asked).outcome).toBe('won');
  });

  it('a command gives up after its time, and says so without naming the password', async () => {
    const storage = await open({ ...settings }, { waitMs: 500 });
    await redis.kill();
    const start = performance.now();
    await expect(storage.ledger.now()).rejects.toThrow(StorageUnavailableError);
    expect(performance.now() - start).toBeLessThan(800);
  });

  it('waiting takes three seconds at most, and is not begun by more than may wait', async () => {
    const storage = await open(settings, { maxWaiting: 20 });
    await redis.kill();
    await until(async () => !(await storage.isReady()));
    const start = performance.now();
    const waiting = Array.from({ length: 20 }, () => storage.ledger.now());
    const outcomes = Promise.allSettled(waiting);
    await expect(storage.ledger.now()).rejects.toThrow('waiting for Redis already');
    expect(performance.now() - start).toBeLessThan(200);
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    const seconds = (performance.now() - start) / 1000;
    expect(seconds).toBeGreaterThan(2.5);
    expect(seconds).toBeLessThan(3.3);
    // Who has given up makes room.
    await redis.restart();
    await until(() => storage.isReady());
    await expect(storage.ledger.now()).resolves.toBeGreaterThan(0);
  });

  it('pages wait no longer than devices', async () => {
    const storage = await open(settings, { waitMs: 300 });
    await redis.kill();
    const failure = await storage.browserSessions.get('hash').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageUnavailableError);
    await expect(storage.counters.add('key', 60)).rejects.toThrow(StorageUnavailableError);
  });

  it('open comes back, and connecting goes on', async () => {
    await redis.kill();
    const start = performance.now();
    const storage = await open(settings);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(await storage.isReady()).toBe(false);
    await redis.restart();
    await until(() => storage.isReady());
    expect((await write(storage, 'code:1', 'a')).outcome).toBe('won');
  });

  it('the log says once that it went and once that it came back', async () => {
    const events: string[] = [];
    const storage = await open(settings, { waitMs: 200, logger: { event: (name) => void events.push(name) } });
    await redis.kill();
    await Promise.allSettled([storage.ledger.now(), storage.ledger.now()]);
    await redis.restart();
    await until(() => storage.isReady());
    expect(events).toEqual(['storage.unavailable', 'storage.recovered']);
  });
});

describe('the log of a Redis that is away', () => {
  const [right, other] = ['>correct-horse', '>battery-staple'];

  it('names a password that was changed, and not only that the connection is closed', async () => {
    const said: string[] = [];
    const logger = { event: (name: string, fields = {}) => void said.push(`${name} ${JSON.stringify(fields)}`) };
    const storage = await open(settings, { logger });
    const administrator = createRedisClient(asAdministrator(settings)) as Redis;
    const user = String(settings.username);
    await administrator.call('ACL', 'SETUSER', user, 'resetpass', other);
    await administrator.call('CLIENT', 'KILL', 'USER', user);
    await until(() => said.some((line) => line.includes('refuses the user name or the password')));
    expect(said.join()).toContain('WRONGPASS');
    expect(said.join()).not.toContain('battery-staple');
    await administrator.call('ACL', 'SETUSER', user, 'resetpass', right);
    await until(() => storage.isReady());
    await until(() => said.some((line) => line.startsWith('storage.recovered')));
    // However often it was tried, each cause is said once.
    expect(said.filter((line) => line.startsWith('storage.unavailable'))).toHaveLength(1);
    administrator.disconnect();
  });

  it('names what comes after it, when that is something else', async () => {
    const said: string[] = [];
    const logger = { event: (name: string, fields = {}) => void said.push(`${name} ${JSON.stringify(fields)}`) };
    await open(settings, { logger });
    await redis.kill();
    await until(() => said.some((line) => line.includes('nothing accepts connections there')));
    await redis.restart();
    await until(() => said.some((line) => line.startsWith('storage.recovered')));
    expect(said.filter((line) => line.startsWith('storage.unavailable'))).toHaveLength(1);
  });
});

describe('a Redis that hangs', () => {
  it('is waited for no longer than one that is away, and a commit whose caller has given up does nothing', async () => {
    const storage = await open(settings, { waitMs: 400 });
    const nowMs = await storage.ledger.now();
    redis.freeze();
    const start = performance.now();
    expect(await storage.isReady()).toBe(false);
    await expect(write(storage, 'code:late', 'a', { notAfterMs: nowMs + 400 })).rejects.toThrow('no answer');
    expect(performance.now() - start).toBeLessThan(2000);
    await delay(300);
    redis.thaw();
    await until(() => storage.isReady());
    expect((await storage.ledger.read(['code:late'])).values).toEqual([undefined]);
  });

  it('on one connection only is left for a new connection', async () => {
    const storage = await throughProxy({ waitMs: 300 });
    proxy.hang();
    await expect(storage.ledger.now()).rejects.toThrow('no answer');
    await until(() => storage.isReady());
    expect((await write(storage, 'code:1', 'a')).outcome).toBe('won');
  });

  it('before it has said a word is not waited for without end', async () => {
    proxy.mute(true);
    const storage = await throughProxy({ waitMs: 300 });
    await expect(storage.ledger.now()).rejects.toThrow(StorageUnavailableError);
    proxy.mute(false);
    await until(() => storage.isReady());
  });
});

describe('a process that is held up for longer than a command waits', () => {
  it('takes the answers that have come meanwhile', async () => {
    const storage = await open(settings, { waitMs: 300 });
    const asked = storage.ledger.now();
    await new Promise(setImmediate);
    const heldUpUntil = performance.now() + 800;
    while (performance.now() < heldUpUntil);
    expect(await asked).toBeTypeOf('number');
  });
});

describe('a client that ioredis has given up', () => {
  it('is connected again, and one that was closed is not', async () => {
    const client = createRedisClient(settings);
    const connection = new RedisConnection(client, { waitMs: 3000, maxWaiting: 10 });
    await connection.open();
    client.disconnect();
    await until(() => client.status === 'end');
    const asked = connection.ask((ioredis) => ioredis.ping());
    expect(await asked).toBe('PONG');
    expect(await connection.isReady()).toBe(true);
    await connection.close();
    await delay(300);
    expect(client.status).toBe('end');
  });
});

describe('a Redis that has become a replica', () => {
  it('is left for the new master, and the command is done there', async () => {
    const storage = await throughProxy();
    const next = await startRedisServer();
    const admin = createRedisClient(asAdministrator(settings)) as Redis;
    const copy = createRedisClient(asAdministrator({ ...settings, at: { url: next.url } })) as Redis;
    try {
      proxy.leadTo(next.port);
      await admin.replicaof('127.0.0.1', next.port);
      expect((await write(storage, 'code:1', 'a')).outcome).toBe('won');
      expect(await copy.keys('*code:1')).toHaveLength(1);
    } finally {
      admin.disconnect();
      copy.disconnect();
      await next.stop();
    }
  });

  it('and stays one is not waited for longer than any other', async () => {
    const storage = await open(settings, { waitMs: 400 });
    const admin = createRedisClient(asAdministrator(settings)) as Redis;
    await admin.replicaof('127.0.0.1', '1');
    admin.disconnect();
    await expect(write(storage, 'code:1', 'a')).rejects.toThrow(StorageUnavailableError);
  });
});

describe('after a restart that forgot everything', () => {
  it('scripts are taught again', async () => {
    const storage = await open(settings);
    await write(storage, 'code:1', 'a');
    await redis.restart();
    expect((await write(storage, 'code:1', 'b')).outcome).toBe('won');
    expect(await storage.ledger.poll('none', HOLDER, PACE_RULE)).toEqual({ state: 'unknown' });
  });
});

describe('a closed storage', () => {
  it('answers nothing more, and leaves no connection', async () => {
    const storage = await throughProxy();
    await storage.close();
    await expect(storage.ledger.now()).rejects.toThrow('closed');
    expect(await storage.isReady()).toBe(false);
    await until(() => proxy.connections() === 0);
  });
});
