import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { startRedisCluster } from '../support/redis/redis.ts';
import { record } from './fault-row.ts';

const SLOTS = 400;
const KEYS_AT_ONCE = 100;

describe('a Cluster whose slots move under load', () => {
  it('from one master to another, with their keys (ASK and MOVED)', async () => {
    const cluster = await startRedisCluster();
    const storage = redisStorage({ ...LEAST_USER, at: { cluster: cluster.nodes }, keyPrefix: 'gatehouse:' });
    await storage.open();
    const { ledger } = storage;
    const nodes = cluster.servers.map(({ url }) => new Redis(url));
    const [from, to] = nodes as [Redis, Redis, Redis];
    const written = new Map<string, string>();
    const faults: string[] = [];
    let isOver = false;
    let commands = 0;
    /** Each writes an entry once, loses against itself a second time, and reads it back, later too. */
    const write = async (worker: number) => {
      for (let n = 0; !isOver; n += 1) {
        const [key, beside] = [`{${worker}-${n}}:decision`, `{${worker}-${n}}:ended`];
        const expiresAtMs = Date.now() + 600_000;
        const commit = (attempt: string) =>
          ledger.commit({ attempt, writes: [{ key, value: `${attempt}|`, expiresAtMs }], unless: [beside] });
        try {
          const [first, second] = [await commit('a'), await commit('b')];
          if (first.outcome !== 'won' || second.outcome !== 'lost') faults.push(`${first.outcome} ${second.outcome}`);
          written.set(key, 'a|');
          const [value] = (await ledger.read([key, beside])).values;
          if (value !== 'a|') faults.push(`read ${value}`);
          commands += 3;
        } catch (error) {
          faults.push(String((error as Error).cause ?? error));
        }
      }
    };
    const workers = Array.from({ length: 8 }, (_, worker) => write(worker));
    await delay(1000);
    const [fromId, toId] = [String(await from.cluster('MYID')), String(await to.cluster('MYID'))];
    let moved = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      await to.cluster('SETSLOT', slot, 'IMPORTING', fromId);
      await from.cluster('SETSLOT', slot, 'MIGRATING', toId);
      for (;;) {
        const keys = (await from.cluster('GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as string[];
        if (keys.length === 0) break;
        await from.call('MIGRATE', '127.0.0.1', String(cluster.servers[1]?.port), '', '0', '5000', 'KEYS', ...keys);
        moved += keys.length;
      }
      for (const node of [to, from, nodes[2] as Redis]) await node.cluster('SETSLOT', slot, 'NODE', toId);
    }
    await delay(500);
    isOver = true;
    await Promise.all(workers);
    let lost = 0;
    for (const [key, value] of written) if ((await ledger.read([key])).values[0] !== value) lost += 1;
    const found = new Set<string>();
    for await (const id of ledger.ids('decision')) found.add(id);
    const violations = [
      ...new Set(faults),
      ...(lost > 0 ? [`${lost} entries lost`] : []),
      ...(found.size === written.size ? [] : [`a walk finds ${found.size} of ${written.size}`]),
    ];
    record({
      group: 'Failover',
      fault: `Cluster: ${SLOTS} slots move to another master under load, key by key (ASK, MOVED)`,
      times: 1,
      device: `${commands} commands meanwhile, ${faults.length} failed; ${moved} entries moved, 0 of ${written.size} lost`,
      person: 'nothing',
      recovery: 'nothing to do; a walk over all ids finds each again',
      violations,
    });
    for (const node of nodes) node.disconnect();
    await storage.close();
    await cluster.stop();
    expect(violations).toEqual([]);
  });
});
