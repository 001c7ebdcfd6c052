import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgePace, PACE_RULE, type Pace } from '../../src/grants/redeem/polling.ts';
import { encodeGrantHead, isHolder } from '../../src/ledger/grant-head.ts';
import type { PaceRule } from '../../src/ledger/ledger.ts';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { holderArgument, pollFacts, pollScript } from '../../src/storage/redis/redis-poll.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { anyText } from '../support/samples/inherited-names.ts';

const START_MS = 4_000_000_000_000;
const HOLDER = { clientId: 'tv', challenge: '', jkt: '' };

describe('the poll script of Redis', () => {
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  let client: Redis;
  let prefix: string;
  beforeAll(async () => {
    redis = await redisForTests();
    const settings = redis.settings();
    prefix = settings.keyPrefix;
    client = createRedisClient(settings) as Redis;
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  const keysOf = (id: string) =>
    ['grant', 'pace', 'decision', 'spent', 'ended', 'delivered'].map((name) => `${prefix}{${id}}:${name}`);
  let ids = 0;

  /** Puts a grant there, and gives back a way to poll it at a moment of the test's choice. */
  async function grantWith(rule: PaceRule, intervalMs: number) {
    // Only the clock's own line is another.
    const { lua } = pollScript(rule, 'local now = tonumber(ARGV[4])');
    ids += 1;
    const keys = keysOf(String(ids));
    const times = { intervalMs, expiresAtMs: START_MS * 2, keptUntilMs: START_MS * 2 };
    await client.set(keys[0] as string, encodeGrantHead({ attempt: 'a', ...HOLDER, ...times }));
    return async (nowMs: number) =>
      pollFacts(await client.eval(lua, keys.length, ...keys, holderArgument(HOLDER), '', 0, nowMs));
  }

  const milliseconds = (most: number) =>
    fc.oneof(
      fc.integer({ min: 0, max: most }),
      fc.constantFrom(0, 499, 500, 501, 999, 1000, 1001, 4499, 4500, 4501, 5000),
    );
  const rules = fc.oneof(
    fc.constant(PACE_RULE),
    fc.record({
      sameMs: milliseconds(5000),
      toleranceMs: milliseconds(3000),
      stepMs: milliseconds(20_000),
      ceilingMs: milliseconds(120_000),
    }),
  );

  it('judges every sequence of polls as judgePace does', async () => {
    await fc.assert(
      fc.asyncProperty(
        rules,
        fc.integer({ min: 1, max: 90_000 }),
        // A clock that is set back must not part the two either.
        fc.array(fc.oneof(milliseconds(20_000), fc.integer({ min: -2000, max: 0 })), { minLength: 1, maxLength: 25 }),
        async (rule, intervalMs, gapsMs) => {
          const poll = await grantWith(rule, intervalMs);
          let pace: Pace | undefined;
          let nowMs = START_MS;
          for (const gapMs of gapsMs) {
            nowMs += gapMs;
            const verdict = judgePace(pace, intervalMs, nowMs, rule);
            pace = verdict.next;
            const expected = { state: 'pending', pace: verdict.pace, intervalMs: pace.intervalMs };
            expect(await poll(nowMs)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('knows a holder as isHolder does', async () => {
    const text = fc.oneof(fc.constantFrom('', 'a', 'b', '|', 'a|b', '%7C', '%', 'é'), anyText({ maxLength: 11 }));
    const token = fc.constantFrom('', 'x', 'y');
    const holders = fc.record({ clientId: text, challenge: token, jkt: token });
    const { lua } = pollScript(PACE_RULE);
    await fc.assert(
      fc.asyncProperty(holders, holders, fc.boolean(), async (owner, other, isOwner) => {
        const poller = isOwner ? { ...other, clientId: owner.clientId, challenge: owner.challenge } : other;
        ids += 1;
        const keys = keysOf(String(ids));
        const times = { intervalMs: 5000, expiresAtMs: START_MS * 2, keptUntilMs: START_MS * 2 };
        await client.set(keys[0] as string, `${encodeGrantHead({ attempt: 'a', ...owner, ...times })}|rest`);
        const facts = pollFacts(await client.eval(lua, keys.length, ...keys, holderArgument(poller), poller.jkt));
        expect(facts.state).toBe(isHolder(owner, poller) ? 'pending' : 'unknown');
      }),
      { numRuns: 300 },
    );
  });
});
