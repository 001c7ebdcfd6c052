import assert from 'node:assert/strict';
import { type CreateStorage, fresh, MINUTE, type TestRunner, withStorage } from './contract-harness.ts';

export function describeCounters({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('counters', () => {
    it(
      'grow by what is added, and answer what they hold',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('wrong-codes:');
        assert.equal(await storage.counters.current(key, 600), 0);
        assert.equal(await storage.counters.add(key, 600), 1);
        assert.equal(await replica.counters.add(key, 600, 5), 6);
        assert.equal(await storage.counters.current(key, 600), 6);
        assert.equal(await storage.counters.current(fresh('other:'), 600), 0);
      }),
    );

    it(
      '100 that add at once each see another number',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('starts:');
        const seen = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? storage : replica).counters.add(key, 60)),
        );
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          Array.from({ length: 100 }, (_, index) => index + 1),
        );
      }),
    );

    it(
      'begin anew when their window has passed, however often they were added to',
      withStorage(create, async ({ storage, advance }) => {
        const key = fresh('wrong-codes:');
        await storage.counters.add(key, 600);
        await advance(6 * MINUTE);
        await storage.counters.add(key, 600);
        await advance(5 * MINUTE);
        assert.equal(await storage.counters.current(key, 600), 0);
        assert.equal(await storage.counters.add(key, 600), 1);
      }),
    );
  });
}
