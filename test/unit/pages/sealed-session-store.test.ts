import { promisify } from 'node:util';
import type { SessionData } from 'express-session';
import { describe, expect, it } from 'vitest';
import { SealedSessionStore } from '../../../src/pages/frame/sealed-session-store.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';

function openStore() {
  const writes: string[] = [];
  let isAway = false;
  const store = new SealedSessionStore({
    sealing: createSealing([new Secret(Buffer.alloc(32, 1).toString('base64url'))]),
    onForgery: () => {},
    inner: {
      get: async () => undefined,
      async set(key) {
        if (isAway) throw new Error('away');
        writes.push(key);
      },
      destroy: async () => {},
    },
  });
  const set = promisify<string, SessionData>(store.set.bind(store));
  return { writes, set, away: (now: boolean) => (isAway = now) };
}

const sessionOf = (browser: string, lifeMs = 60_000) =>
  ({ browser, cookie: { expires: new Date(Date.now() + lifeMs), originalMaxAge: lifeMs } }) as SessionData;

describe('a browser session that is saved twice with one answer', () => {
  it('is written once', async () => {
    const { writes, set } = openStore();
    const session = sessionOf('b');
    await set('id', session);
    session.cookie.expires = new Date(Number(session.cookie.expires) + 20);
    await set('id', session);
    expect(writes).toHaveLength(1);
  });

  it.each<[string, (session: SessionData) => [string, SessionData]]>([
    ['under another id', (session) => ['other', session]],
    ['another one', () => ['id', sessionOf('b')]],
    ['with another browser value', (session) => ['id', Object.assign(session, { browser: 'c' })]],
    ['left behind', (session) => ['id', Object.assign(session, { isLeft: true })]],
    ['with another life', (session) => ['id', Object.assign(session, { cookie: sessionOf('b', 5000).cookie })]],
  ])('and again where it is %s', async (_, change) => {
    const { writes, set } = openStore();
    const session = sessionOf('b');
    await set('id', session);
    await set(...change(session));
    expect(writes).toHaveLength(2);
  });

  it('is not taken for written where the storage was away', async () => {
    const { writes, set, away } = openStore();
    const session = sessionOf('b');
    away(true);
    await expect(set('id', session)).rejects.toThrow('away');
    away(false);
    await set('id', session);
    expect(writes).toHaveLength(1);
  });
});
