import assert from 'node:assert/strict';
import {
  type CreateStorage,
  fresh,
  MINUTE,
  many,
  onlyWinner,
  SECOND,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

/** The one entry that takes the place of another: what replaces it, what it is leased for, and who wins. */
export function describeReplacing({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: an entry that is replaced', () => {
    it(
      'an entry is replaced only where the value stands that the caller has seen, and takes its new life',
      withStorage(create, async ({ storage, replica, advance }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const nowMs = await ledger.now();
        const key = `{${id}}:refresh`;
        const write = (attempt: string, expiresAtMs: number) => ({
          attempt,
          writes: [{ key, value: `${attempt}|`, expiresAtMs }] as const,
        });
        const nothing = await ledger.commit({ ...write('a2', nowMs + MINUTE), replaces: 'a1' });
        assert.equal(nothing.outcome === 'refused' && nothing.because, key);
        await ledger.commit(write('a1', nowMs + MINUTE));
        const other = await replica.ledger.commit({ ...write('a2', nowMs + MINUTE), replaces: 'a' });
        assert.equal(other.outcome === 'lost' && other.existing, 'a1|');
        const seen = await replica.ledger.commit({ ...write('a2', nowMs + 10 * MINUTE), replaces: 'a1' });
        assert.equal(seen.outcome, 'won');
        const again = await ledger.commit({ ...write('a2', nowMs + MINUTE), replaces: 'a1' });
        assert.equal(again.outcome, 'won', 'a reply that was lost is not a race that was lost');
        const late = await ledger.commit({ ...write('a3', nowMs + MINUTE), replaces: 'a1' });
        assert.equal(late.outcome === 'lost' && late.existing, 'a2|');
        await advance(5 * MINUTE);
        assert.deepEqual((await ledger.read([key])).values, ['a2|']);
        await advance(5 * MINUTE + SECOND);
        assert.deepEqual((await ledger.read([key])).values, [undefined]);
      }),
    );

    it(
      'nothing is replaced while something excludes it, or too late',
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const expiresAtMs = (await ledger.now()) + MINUTE;
        const key = (name: string) => `{${id}}:${name}`;
        await ledger.commit({ attempt: 'a1', writes: [{ key: key('refresh'), value: 'a1|', expiresAtMs }] });
        const change = {
          attempt: 'a2',
          writes: [
            { key: key('refresh'), value: 'a2|', expiresAtMs },
            { key: key('beside'), value: 'b', expiresAtMs },
          ] as const,
          replaces: 'a1',
          removes: [key('refresh-lease')],
        };
        const late = await ledger.commit({ ...change, notAfterMs: 0 });
        assert.equal(late.outcome === 'refused' && late.because, 'late');
        await ledger.commit({ attempt: 'e1', writes: [{ key: key('ended'), value: 'e1|', expiresAtMs }] });
        const refused = await ledger.commit({ ...change, unless: [key('ended')] });
        assert.equal(refused.outcome === 'refused' && refused.because, key('ended'));
        assert.deepEqual((await ledger.read([key('refresh'), key('beside')])).values, ['a1|', undefined]);
        assert.equal((await ledger.commit(change)).outcome, 'won');
        assert.deepEqual((await ledger.read([key('refresh'), key('beside')])).values, ['a2|', 'b']);
      }),
    );

    it(
      '100 that replace one value at once: one does, and the others are told by what, in each of 30 rounds',
      withStorage(create, async (under) => {
        const key = `{${fresh('id')}}:refresh`;
        const expiresAtMs = (await under.storage.ledger.now()) + MINUTE;
        await under.storage.ledger.commit({ attempt: 'start', writes: [{ key, value: 'start|', expiresAtMs }] });
        let standing = 'start';
        for (let round = 0; round < 30; round += 1) {
          const outcomes = await many(100, (index) => {
            const attempt = `r${round}-${index}`;
            const writes = [{ key, value: `${attempt}|`, expiresAtMs }] as const;
            const { ledger } = index % 2 === 0 ? under.storage : under.replica;
            return ledger.commit({ attempt, writes, replaces: standing });
          });
          standing = `r${round}-${onlyWinner(outcomes)}`;
          for (const each of outcomes) {
            assert.ok(each.outcome === 'won' || (each.outcome === 'lost' && each.existing === `${standing}|`));
          }
        }
        assert.deepEqual((await under.storage.ledger.read([key])).values, [`${standing}|`]);
      }),
    );

    it(
      'a lease for what an entry says is had only while the entry says it',
      withStorage(create, async ({ storage, replica }) => {
        const id = fresh('id');
        const [lease, key] = [`{${id}}:refreshing:a1`, `{${id}}:refresh`];
        const expiresAtMs = (await storage.ledger.now()) + MINUTE;
        const lend = (name: string, attempt: string) =>
          replica.ledger.lease(lease, name, 15 * SECOND, { key, attempt });
        assert.equal(await lend('one', 'a1'), false);
        await storage.ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|', expiresAtMs }] });
        assert.equal(await lend('one', 'a'), false);
        assert.equal(await lend('one', 'a1'), true);
        assert.equal(await lend('two', 'a1'), false);
        await storage.ledger.release(lease, 'one');
        await storage.ledger.commit({ attempt: 'a2', writes: [{ key, value: 'a2|', expiresAtMs }], replaces: 'a1' });
        assert.equal(await lend('two', 'a1'), false);
        assert.equal(await lend('two', 'a2'), true);
      }),
    );
  });
}
