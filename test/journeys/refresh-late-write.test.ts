import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refreshEntry } from '../../src/ledger/entry-keys.ts';
import { type Change, type Ledger, StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { movableMemory } from '../support/redis/storage-under-test.ts';

const SECOND = 1000;

describe('a rotation that sat out an outage in a queue', () => {
  let test: TestBroker;
  let isAway: boolean;
  /** The commands that were sent into the outage; a client library sends them again when it is over. */
  let queued: (() => Promise<unknown>)[];
  beforeEach(async () => {
    isAway = false;
    queued = [];
    const store = await movableMemory();
    const real = store.storage.ledger;
    const commit = (change: Change) => {
      if (!isAway || change.replaces === undefined) return real.commit(change);
      queued.push(() => real.commit(change));
      return Promise.reject(new StorageUnavailableError('away'));
    };
    const ledger = new Proxy(real, {
      get(target, name) {
        const value: unknown = name === 'commit' ? commit : Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as Ledger;
    const storage = { ...store.storage, ledger };
    test = await createTestBroker({ store: { ...store, storage, replica: storage } });
  });
  afterEach(() => test.close());

  async function outageOf(milliseconds: number): Promise<void> {
    await test.advance(milliseconds);
    isAway = false;
    for (const send of queued) await send();
  }

  /** A refresh that hears 503, and whose rotation is written when the outage is over. Answers the token that it showed. */
  async function refreshedIntoOutage(): Promise<string> {
    const { refresh_token: token, access_token } = await test.signIn();
    const key = refreshEntry(String(decodeJwt(access_token)['sid']));
    const stored = async () => (await test.store.storage.ledger.read([key])).values[0];
    const before = await stored();
    isAway = true;
    expect((await test.device().refresh(token)).status).toBe(503);
    await outageOf(40 * SECOND);
    await expect.poll(stored).not.toBe(before);
    return token;
  }

  it('does not make the device’s next try a reuse: the session goes on', async () => {
    const token = await refreshedIntoOutage();
    const again = await test.device().refresh(token);
    expect([again.status, again.text]).toEqual([200, again.text]);
    expect((await test.device().refresh(again.body.refresh_token)).status).toBe(200);
    expect(test.lines.filter(({ event }) => event === 'session.ended')).toEqual([]);
  });

  it('nor where the device comes back long after: what it was not told counts for nothing', async () => {
    const token = await refreshedIntoOutage();
    await test.advance(60 * 60 * SECOND);
    const again = await test.device().refresh(token);
    expect([again.status, again.text]).toEqual([200, again.text]);
  });

  it('nor where the upstream gave no refresh token, so that nothing is written later', async () => {
    test.upstream.behaviour = { token: { members: { refresh_token: undefined } } };
    const { refresh_token: token } = await test.signIn();
    isAway = true;
    expect((await test.device().refresh(token)).status).toBe(503);
    await outageOf(40 * SECOND);
    expect((await test.device().refresh(token)).status).toBe(200);
  });
});
