import assert from 'node:assert/strict';
import type { SessionData, Store } from 'express-session';
import { type CreateStorage, fresh, MINUTE, type TestRunner, withStorage } from './contract-harness.ts';

const get = (store: Store, key: string) =>
  new Promise<SessionData | null | undefined>((resolve, reject) => {
    store.get(key, (error: unknown, session) => (error ? reject(error) : resolve(session)));
  });
const set = (store: Store, key: string, session: SessionData) =>
  new Promise<void>((resolve, reject) => {
    store.set(key, session, (error: unknown) => (error ? reject(error) : resolve()));
  });
const destroy = (store: Store, key: string) =>
  new Promise<void>((resolve, reject) => {
    store.destroy(key, (error: unknown) => (error ? reject(error) : resolve()));
  });

function session(lifeMs: number, sealed: string): SessionData {
  const cookie = { originalMaxAge: lifeMs, expires: new Date(Date.now() + lifeMs) };
  return { cookie, sealed } as unknown as SessionData;
}

export function describeBrowserSessions({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('browser sessions', () => {
    it(
      'come back as they were set, in every process, until they are destroyed',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('hash');
        assert.ok(!(await get(storage.browserSessions, key)));
        await set(storage.browserSessions, key, session(MINUTE, 'first'));
        await set(storage.browserSessions, key, session(MINUTE, 'sealed'));
        const kept = (await get(replica.browserSessions, key)) as { sealed?: string } | null;
        assert.equal(kept?.sealed, 'sealed');
        await destroy(replica.browserSessions, key);
        assert.ok(!(await get(storage.browserSessions, key)));
      }),
    );

    it(
      'are gone when their cookie is',
      withStorage(create, async ({ storage, advance }) => {
        const key = fresh('hash');
        await set(storage.browserSessions, key, session(10 * MINUTE, 'sealed'));
        await advance(9 * MINUTE);
        assert.ok(await get(storage.browserSessions, key));
        await advance(2 * MINUTE);
        assert.ok(!(await get(storage.browserSessions, key)));
      }),
    );

    it(
      'are not kept at all where their cookie has ended',
      withStorage(create, async ({ storage }) => {
        const key = fresh('hash');
        await set(storage.browserSessions, key, session(10 * MINUTE, 'sealed'));
        await set(storage.browserSessions, key, session(-MINUTE, 'sealed'));
        assert.ok(!(await get(storage.browserSessions, key)));
      }),
    );
  });
}
