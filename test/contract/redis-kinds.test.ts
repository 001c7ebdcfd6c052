import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeStorage } from '../../src/contract.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { inspectRedis, redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { RedisSettings } from '../../src/storage/storage.ts';
import { LEAST_USER, SENTINEL_RIGHTS } from '../support/broker/least-rights.ts';
import { startRedisCluster, startRedisSentinel, startRedisServer } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { selfSigned } from '../support/samples/self-signed.ts';

let prefixes = 0;

function keyPrefix(): string {
  prefixes += 1;
  return `gatehouse:kind-${prefixes}:`;
}

describe('a Redis Cluster of three masters', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());
  const settings = (): RedisSettings => ({
    ...LEAST_USER,
    at: { cluster: cluster.nodes },
    keyPrefix: keyPrefix(),
  });

  // Frozen nodes keep their connections and answer nothing.
  const outage = {
    async begin() {
      for (const server of cluster.servers) server.freeze();
    },
    async end() {
      for (const server of cluster.servers) server.thaw();
    },
  };
  describeStorage({ describe, it }, async () => ({ ...(await movableRedis(settings())), outage }));

  it('is found fit by an inspection', async () => {
    expect((await inspectRedis(settings())).problems).toEqual([]);
  });

  it('that loses a master goes on with the others; without any it is away, and it comes back', {
    timeout: 60_000,
  }, async () => {
    const storage = redisStorage(settings(), { waitMs: 1000 });
    await storage.open();
    const write = async (key: string) => {
      const writes = [{ key, value: 'a|', expiresAtMs: Date.now() + 60_000 }] as const;
      return (await storage.ledger.commit({ attempt: 'a', writes })).outcome;
    };
    try {
      const [first, ...others] = cluster.servers;
      await first?.kill();
      const keys = Array.from({ length: 30 }, (_, n) => `code:${n}`);
      const outcomes = await Promise.allSettled(keys.map(write));
      const won = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expect(won).toBeGreaterThan(10);
      expect(won).toBeLessThan(30);
      expect(await storage.isReady()).toBe(true);

      await Promise.all(others.map((server) => server.kill()));
      const start = performance.now();
      await expect(write('code:away')).rejects.toThrow(StorageUnavailableError);
      expect(performance.now() - start).toBeLessThan(1400);
      expect(await storage.isReady()).toBe(false);

      await Promise.all(cluster.servers.map((server) => server.restart()));
      await expect.poll(() => storage.isReady(), { timeout: 20_000 }).toBe(true);
      await expect.poll(() => write('code:back').catch(String), { timeout: 20_000 }).toBe('won');
    } finally {
      await storage.close();
    }
  });
});

describe('an ACL user with the least rights', () => {
  it('is whom every storage of these tests is, and may not do more', async () => {
    const redis = await startRedisServer();
    const client = createRedisClient(redis.settings()) as Redis;
    try {
      expect(await client.get('gatehouse:x')).toBeNull();
      await expect(client.get('another:x')).rejects.toThrow('NOPERM');
      await expect(client.flushall()).rejects.toThrow('NOPERM');
      await expect(client.config('GET', 'requirepass')).rejects.toThrow('NOPERM');
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });

  it('keeps what it wrote over a restart with AOF where the default user is off and keeps its rights', async () => {
    const operator = ['--user', 'operator', 'on', 'nopass', '~*', '+@all'];
    const off = ['--user', 'default', 'off', '~*', '&*', '+@all'];
    const redis = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always', ...operator, ...off]);
    const storage = redisStorage(redis.settings());
    try {
      await storage.open();
      const entry = (key: string) => ({ key, value: 'a|', expiresAtMs: Date.now() + 60_000 });
      await storage.ledger.commit({ attempt: 'a', writes: [entry('{id}:grant'), entry('{id}:decision')] });
      await redis.restart();
      await expect.poll(() => storage.isReady(), { timeout: 5000 }).toBe(true);
      expect((await storage.ledger.read(['{id}:grant', '{id}:decision'])).values).toEqual(['a|', 'a|']);
    } finally {
      await storage.close();
      await redis.stop();
    }
  });
});

describe('Redis Sentinel', () => {
  it('names the master, and the new one after a failover', { timeout: 60_000 }, async () => {
    const password = new Secret('battery-staple');
    const watched = await startRedisSentinel([
      `user default on >${password.reveal()} resetkeys resetchannels -@all ${SENTINEL_RIGHTS}`,
      'user operator on nopass allchannels +@all',
    ]);
    const sentinel = new Redis(`redis://operator:any@${watched.nodes[0]}`);
    const storage = redisStorage({
      ...LEAST_USER,
      at: { sentinel: { name: 'mymaster', nodes: watched.nodes, password } },
      keyPrefix: keyPrefix(),
    });
    try {
      await storage.open();
      const write = async (key: string) =>
        storage.ledger.commit({ attempt: 'a', writes: [{ key, value: 'a|', expiresAtMs: Date.now() + 60_000 }] });
      expect((await write('code:before')).outcome).toBe('won');
      // Without this right ioredis says nothing, and hears of a failover only when the old master is gone.
      const clients = async () => String(await sentinel.call('CLIENT', 'LIST'));
      await expect.poll(clients, { timeout: 5000 }).toContain(' sub=1 ');

      let answer: unknown;
      for (let tries = 0; tries < 200 && answer !== 'OK'; tries += 1) {
        answer = await sentinel.call('SENTINEL', 'FAILOVER', 'mymaster').catch((error: unknown) => error);
        await delay(100);
      }
      expect(answer).toBe('OK');
      const replica = new Redis(watched.replica.url);
      let writes = 0;
      const arrivesThere = async () => {
        writes += 1;
        await write(`code:${writes}`).catch(() => {});
        return (await replica.keys(`*code:${writes}`)).length === 1 && (await replica.info()).includes('role:master');
      };
      await expect.poll(arrivesThere, { timeout: 30_000, interval: 100 }).toBe(true);
      replica.disconnect();
    } finally {
      sentinel.disconnect();
      await storage.close();
      await watched.stop();
    }
  });
});

describe('TLS', () => {
  it('takes a server whose authority the configuration names, and no other', async () => {
    const redis = await startRedisServer();
    const { key, cert } = selfSigned();
    const secure = createServer({ key, cert }, (socket) => {
      const far = createConnection(redis.port, '127.0.0.1');
      socket.pipe(far).pipe(socket);
      socket.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const address = secure.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      for (const at of [`rediss://127.0.0.1:${port}/0`, `rediss://localhost:${port}`]) {
        const storage = redisStorage({ at: { url: at }, tls: { ca: cert }, keyPrefix: keyPrefix() });
        await storage.open();
        expect(await storage.isReady()).toBe(true);
        await storage.close();
      }
      const stranger = redisStorage(
        { at: { url: `rediss://127.0.0.1:${port}` }, keyPrefix: keyPrefix() },
        { waitMs: 300 },
      );
      await stranger.open();
      await expect(stranger.ledger.now()).rejects.toThrow('no answer from Redis');
      await stranger.close();
    } finally {
      secure.close();
      await redis.stop();
    }
  });
});
