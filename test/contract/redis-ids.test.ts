import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Ledger, StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { lookThrough } from '../../src/ledger/look-through.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { RedisSettings, Storage } from '../../src/storage/storage.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { startRedisCluster, startRedisServer } from '../support/redis/redis.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function opened(settings: RedisSettings): Promise<Storage> {
  const storage = redisStorage(settings, { waitMs: 2000 });
  closing.push(() => storage.close());
  await storage.open();
  return storage;
}

/** A walk that passes over nodes would pass over about two thirds of these. */
async function sessions(ledger: Ledger): Promise<string[]> {
  const ids = Array.from({ length: 300 }, (_, index) => `person-${index}`);
  const expiresAtMs = (await ledger.now()) + 600_000;
  const write = (key: string) => ledger.commit({ attempt: 'a', writes: [{ key, value: 'a|', expiresAtMs }] });
  await Promise.all(ids.map((id) => write(`{${id}}:session`)));
  return ids.sort();
}

async function walk(ledger: Ledger): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of ledger.ids('session')) ids.push(id);
  return ids.sort();
}

/** The cursors that a walk in pieces is given until its end. */
async function cursors(ledger: Ledger): Promise<string[]> {
  const all: string[] = [];
  let from: string | undefined;
  do {
    const piece = await ledger.idsFrom('session', from, 20);
    if (piece === undefined) throw new Error(`the cursor ${from} was given out`);
    from = piece.next;
    if (from !== undefined) all.push(from);
  } while (from !== undefined);
  return all;
}

describe('a walk over the ids of a Cluster', { timeout: 60_000 }, () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  let storage: Storage;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    storage = redisStorage({ ...LEAST_USER, at: { cluster: cluster.nodes }, keyPrefix: 'gatehouse:ids:' });
    await storage.open();
  });
  afterAll(async () => {
    await storage.close();
    await cluster.stop();
  });

  it('begins again where slots have moved since: its cursors lead no further, and within a walk that is an error', async () => {
    const { ledger } = storage;
    const ids = await sessions(ledger);
    const given = await cursors(ledger);
    const nodes = cluster.servers.map(({ url }) => new Redis(url));
    const [from, to] = nodes as [Redis, Redis, Redis];
    const owner = String(await to.cluster('MYID'));
    let moved = 0;
    // Slots without a key in them move by words alone.
    const move = async (slot: number) => {
      if ((await from.cluster('COUNTKEYSINSLOT', slot)) !== 0) return;
      await Promise.all(nodes.map((node) => node.cluster('SETSLOT', slot, 'NODE', owner)));
      moved += 1;
    };
    try {
      for (let slot = 0; moved === 0; slot += 1) await move(slot);
      const leading = await Promise.all(given.map((cursor) => ledger.idsFrom('session', cursor, 20)));
      expect(leading).toEqual(given.map(() => undefined));
      expect(await walk(ledger)).toEqual(ids);

      const { idsFrom } = ledger;
      let steps = 0;
      ledger.idsFrom = async (...asked) => {
        steps += 1;
        if (steps === 3) for (let slot = 100; moved === 1; slot += 1) await move(slot);
        return idsFrom.apply(ledger, asked);
      };
      const look = async () => undefined;
      await expect(lookThrough(ledger, 'session', { from: undefined, limit: 20 }, look)).rejects.toThrow(
        StorageUnavailableError,
      );
    } finally {
      for (const node of nodes) node.disconnect();
    }
  });

  it('is an error while a master is away, and whole before', async () => {
    const { ledger } = storage;
    const ids = await sessions(ledger);
    expect(await walk(ledger)).toEqual(ids);
    await cluster.servers[1]?.kill();
    await expect(walk(ledger)).rejects.toThrow(StorageUnavailableError);
    const pieces = async () => {
      let from: string | undefined;
      do {
        from = (await lookThrough(ledger, 'session', { from, limit: 100 }, async (id) => id))?.next;
      } while (from !== undefined);
    };
    await expect(pieces()).rejects.toThrow(StorageUnavailableError);
  });
});

describe('a walk over the ids of one Redis', () => {
  it('begins again after a restart, since another process has its keys in another order', async () => {
    const redis = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
    closing.push(() => redis.stop());
    const storage = await opened(redis.settings());
    const ids = await sessions(storage.ledger);
    const given = await cursors(storage.ledger);
    expect(given.length).toBeGreaterThan(3);
    await redis.restart();
    await expect.poll(() => storage.isReady()).toBe(true);
    for (const cursor of given) expect(await storage.ledger.idsFrom('session', cursor, 20)).toBeUndefined();
    expect(await walk(storage.ledger)).toEqual(ids);
  });
});
