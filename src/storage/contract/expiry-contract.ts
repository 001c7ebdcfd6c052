import assert from 'node:assert/strict';
import { PACE_RULE } from '../../grants/redeem/polling.ts';
import {
  type CreateStorage,
  fresh,
  MINUTE,
  SECOND,
  startGrant,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

/** When entries vanish, and that what has vanished is as if it had never been. */
export function describeExpiry({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: expiry', () => {
    it(
      'an entry vanishes at its moment, and its key can be written again',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const key = fresh('code:');
        const nowMs = await ledger.now();
        await ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|first', expiresAtMs: nowMs + MINUTE }] });
        await advance(MINUTE - 10 * SECOND);
        assert.deepEqual((await ledger.read([key])).values, ['a1|first']);
        await advance(10 * SECOND + 100);
        assert.deepEqual((await ledger.read([key])).values, [undefined]);
        const again = { key, value: 'a2|second', expiresAtMs: nowMs + 5 * MINUTE };
        assert.equal((await ledger.commit({ attempt: 'a2', writes: [again] })).outcome, 'won');
      }),
    );

    it(
      'what has expired neither fulfils nor excludes',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const nowMs = await ledger.now();
        const short = { key: `{${id}}:short`, value: 'a1|', expiresAtMs: nowMs + SECOND };
        await ledger.commit({ attempt: 'a1', writes: [short] });
        await advance(2 * SECOND);
        const write = { key: `{${id}}:decision`, value: 'a2|', expiresAtMs: nowMs + MINUTE };
        assert.equal(
          (await ledger.commit({ attempt: 'a2', writes: [write], requires: [short.key] })).outcome,
          'refused',
        );
        assert.equal((await ledger.commit({ attempt: 'a2', writes: [write], unless: [short.key] })).outcome, 'won');
      }),
    );

    it(
      'all entries of a grant, its pace too, expire together',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const { id, keptUntilMs } = await startGrant({ storage });
        await ledger.commit({
          attempt: 'o1',
          writes: [{ key: `{${id}}:opened`, value: 'o1|', expiresAtMs: keptUntilMs }],
        });
        for (let polls = 0; polls < 5; polls += 1) {
          await ledger.poll(id, { clientId: 'tv app|1', challenge: '', jkt: '' }, PACE_RULE);
          await advance(100 * SECOND);
        }
        const keys = ['grant', 'pace', 'opened'].map((name) => `{${id}}:${name}`);
        await advance(keptUntilMs - (await ledger.now()) + 100);
        assert.deepEqual((await ledger.read(keys)).values, [undefined, undefined, undefined]);
      }),
    );

    it(
      'take gives an entry once',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('trip:');
        const expiresAtMs = (await storage.ledger.now()) + MINUTE;
        await storage.ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|trip', expiresAtMs }] });
        assert.equal(await replica.ledger.take(key), 'a1|trip');
        assert.equal(await storage.ledger.take(key), undefined);
        assert.equal(await storage.ledger.take(fresh('trip:')), undefined);
      }),
    );
  });
}
