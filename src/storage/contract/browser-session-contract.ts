import assert from 'node:assert/strict';
import { type CreateStorage, fresh, MINUTE, type TestRunner, withStorage } from './contract-harness.ts';

export function describeBrowserSessions({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('browser sessions', () => {
    it(
      'come back as they were set, in every process, until they are destroyed',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('hash');
        assert.equal(await storage.browserSessions.get(key), undefined);
        await storage.browserSessions.set(key, 'first', MINUTE);
        await storage.browserSessions.set(key, '{"sealed":"| ünïcödé\\n"}', MINUTE);
        assert.equal(await replica.browserSessions.get(key), '{"sealed":"| ünïcödé\\n"}');
        await replica.browserSessions.destroy(key);
        assert.equal(await storage.browserSessions.get(key), undefined);
        await replica.browserSessions.destroy(key);
      }),
    );

    it(
      'are gone when their life is over',
      withStorage(create, async ({ storage, advance }) => {
        const key = fresh('hash');
        await storage.browserSessions.set(key, 'sealed', 10 * MINUTE);
        await advance(9 * MINUTE);
        assert.equal(await storage.browserSessions.get(key), 'sealed');
        await advance(2 * MINUTE);
        assert.equal(await storage.browserSessions.get(key), undefined);
      }),
    );

    it(
      'are not kept at all where no life is left',
      withStorage(create, async ({ storage }) => {
        const key = fresh('hash');
        await storage.browserSessions.set(key, 'sealed', 10 * MINUTE);
        await storage.browserSessions.set(key, 'sealed', -MINUTE);
        assert.equal(await storage.browserSessions.get(key), undefined);
      }),
    );
  });
}
