import assert from 'node:assert/strict';
import { type CreateStorage, fresh, MINUTE, SECOND, type TestRunner, withStorage } from './contract-harness.ts';

/** Marks, indexes and leases: the entries of the ledger that may change. */
export function describeChangingEntries({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: marks, indexes, leases', () => {
    it(
      'a mark only moves forward, and lives as long as the longest that raised it',
      withStorage(create, async ({ storage, replica, advance }) => {
        const { ledger } = storage;
        const nowMs = await ledger.now();
        const [raised, never] = [fresh('before:'), fresh('before:')];
        await ledger.raise(raised, nowMs, nowMs + 10 * MINUTE);
        await replica.ledger.raise(raised, nowMs - MINUTE, nowMs + MINUTE);
        assert.deepEqual(await ledger.marks([never, raised]), [0, nowMs]);
        await ledger.raise(raised, nowMs + MINUTE, nowMs + 5 * MINUTE);
        assert.deepEqual(await replica.ledger.marks([raised, never]), [nowMs + MINUTE, 0]);
        await advance(9 * MINUTE);
        assert.deepEqual(await ledger.marks([raised]), [nowMs + MINUTE]);
        await advance(MINUTE + SECOND);
        assert.deepEqual(await ledger.marks([raised]), [0]);
      }),
    );

    it(
      'no marks asked, none given',
      withStorage(create, async ({ storage }) => {
        assert.deepEqual(await storage.ledger.marks([]), []);
      }),
    );

    it(
      'an index lists each member until its own moment',
      withStorage(create, async ({ storage, replica, advance }) => {
        const { ledger } = storage;
        const index = fresh('subject:');
        const nowMs = await ledger.now();
        await ledger.enlist(index, 'short', nowMs + MINUTE);
        await ledger.enlist(index, 'long', nowMs + 10 * MINUTE);
        await replica.ledger.enlist(index, 'long', nowMs + 10 * MINUTE);
        assert.deepEqual((await replica.ledger.listed(index)).sort(), ['long', 'short']);
        await advance(2 * MINUTE);
        assert.deepEqual(await ledger.listed(index), ['long']);
        await ledger.enlist(index, 'later', nowMs + 20 * MINUTE);
        await advance(9 * MINUTE);
        assert.deepEqual(await ledger.listed(index), ['later']);
        await advance(10 * MINUTE);
        assert.deepEqual(await ledger.listed(index), []);
        assert.deepEqual(await ledger.listed(fresh('subject:')), []);
      }),
    );

    it(
      'a lease is held under one name until it is given back or lapses',
      withStorage(create, async ({ storage, replica, advance }) => {
        const key = `{${fresh('id')}}:refreshing:0`;
        assert.equal(await storage.ledger.lease(key, 'one', 15 * SECOND), true);
        assert.equal(await replica.ledger.lease(key, 'two', 15 * SECOND), false);
        assert.equal(await storage.ledger.lease(key, 'one', 15 * SECOND), true);
        await replica.ledger.release(key, 'two');
        assert.equal(await replica.ledger.lease(key, 'two', 15 * SECOND), false);
        await storage.ledger.release(key, 'one');
        assert.equal(await replica.ledger.lease(key, 'two', 15 * SECOND), true);
        await advance(16 * SECOND);
        assert.equal(await storage.ledger.lease(key, 'one', 15 * SECOND), true);
      }),
    );

    it(
      'ids finds every grant that has the entry, once',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const expiresAtMs = (await ledger.now()) + MINUTE;
        const found = async (suffix: string) => {
          const ids: string[] = [];
          for await (const id of ledger.ids(suffix)) {
            ids.push(id);
          }
          return ids.sort();
        };
        const write = (key: string) => ledger.commit({ attempt: 'a', writes: [{ key, value: 'a|', expiresAtMs }] });
        const sessions = Array.from({ length: 300 }, () => fresh('id')).sort();
        await Promise.all(sessions.map((id) => write(`{${id}}:session`)));
        await Promise.all([write('{lonely}:grant'), write('{x}:session:2'), write('session'), write('code:session')]);
        assert.deepEqual(await found('session'), sessions);
        assert.deepEqual(await found('sess*'), []);
        await advance(MINUTE + SECOND);
        assert.deepEqual(await found('session'), []);
      }),
    );

    it(
      'idsFrom finds the same in pieces, at either process, while others are written',
      withStorage(create, async ({ storage, replica, advance }) => {
        const expiresAtMs = (await storage.ledger.now()) + MINUTE;
        const write = (key: string) =>
          storage.ledger.commit({ attempt: 'a', writes: [{ key, value: 'a|', expiresAtMs }] });
        const standing = Array.from({ length: 300 }, () => fresh('id'));
        await Promise.all([...standing.map((id) => write(`{${id}}:session`)), write('{lonely}:grant')]);
        const found = new Set<string>();
        let pieces = 0;
        let from: string | undefined;
        do {
          const at = pieces % 2 === 0 ? storage : replica;
          const piece = await at.ledger.idsFrom('session', from, 20);
          assert.ok(piece !== undefined, `the cursor ${from} was given out`);
          for (const id of piece.ids) found.add(id);
          from = piece.next;
          pieces += 1;
          await write(`{${fresh('new')}}:session`);
        } while (from !== undefined && pieces < 1000);
        assert.ok(pieces > 5, `${pieces} pieces`);
        assert.deepEqual(
          standing.filter((id) => !found.has(id)),
          [],
        );
        assert.equal(found.has('lonely'), false);
        await advance(MINUTE + SECOND);
        assert.deepEqual((await storage.ledger.idsFrom('session', undefined, 10))?.ids, []);
      }),
    );
  });
}
