import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACE_RULE } from '../../src/grants/redeem/polling.ts';
import { encodeGrantHead } from '../../src/ledger/grant-head.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { holderArgument, pollFacts, pollScript } from '../../src/storage/redis/redis-poll.ts';
import { redisForTests } from '../support/redis/redis.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const HOLDER = { clientId: 'tv', challenge: '', jkt: '' };

/**
 * In a roll-out a device's polls go to replicas of two releases in turn. The poll script of each release is kept as
 * `poll-<version>.lua`; what this one writes, it must be able to judge, and the other way round.
 */
describe.each(readdirSync(FIXTURES).filter((file) => /^poll-.*\.lua$/.test(file)))('%s', (file) => {
  const kept = readFileSync(new URL(file, FIXTURES), 'utf8').trim();
  const { lua: ours } = pollScript(PACE_RULE);
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  let client: Redis;
  beforeAll(async () => {
    redis = await redisForTests();
    client = createRedisClient(redis.settings()) as Redis;
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  it.each([
    ['first ours', ours, kept],
    ['first the kept one', kept, ours],
  ])('judges polls that go to both in turn, %s', async (name, one, other) => {
    const stem = `${redis.settings().keyPrefix}{${name}}:`;
    const keys = ['grant', 'pace', 'decision', 'spent', 'ended', 'delivered'].map((entry) => stem + entry);
    const inAnHourMs = Date.now() + 3_600_000;
    const head = { attempt: 'a', ...HOLDER, intervalMs: 3000, expiresAtMs: inAnHourMs, keptUntilMs: inAnHourMs };
    await client.set(keys[0] as string, encodeGrantHead(head));
    const poll = async (lua: string, atMs: number) =>
      pollFacts(await client.eval(lua, keys.length, ...keys, holderArgument(HOLDER), '', atMs));
    // The offset of the clock moves time on; the third poll comes too early, the fourth too, at an interval of 13 s.
    const paces = [];
    for (const [lua, atMs] of [
      [one, 0],
      [other, 4000],
      [one, 6000],
      [other, 8000],
      [one, 8100],
      [other, 22_000],
    ] as const) {
      const facts = await poll(lua, atMs);
      paces.push(facts.state === 'pending' ? [facts.pace, facts.intervalMs] : facts.state);
    }
    expect(paces).toEqual([
      ['in_time', 3000],
      ['in_time', 3000],
      ['too_early', 8000],
      ['too_early', 13_000],
      ['too_early', 13_000],
      ['in_time', 13_000],
    ]);
  });
});
