import assert from 'node:assert/strict';
import {
  type CreateStorage,
  fresh,
  MINUTE,
  SECOND,
  startGrant,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

/** What each verb of the ledger does for one caller; what two callers see is in the races. */
export function describeLedger({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: entries', () => {
    it(
      'its clock goes on, and stands in every snapshot',
      withStorage(create, async ({ storage, advance }) => {
        const before = await storage.ledger.now();
        await advance(MINUTE);
        const { nowMs } = await storage.ledger.read(['{clock}:nothing']);
        assert.ok(nowMs >= before + MINUTE && nowMs < before + MINUTE + 30 * SECOND);
      }),
    );

    it(
      'a commit writes all its entries, and read gives them in the order that was asked',
      withStorage(create, async ({ storage, replica }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const expiresAtMs = (await ledger.now()) + MINUTE;
        const outcome = await ledger.commit({
          attempt: 'a1',
          writes: [
            { key: `{${id}}:spent`, value: 'a1|spent', expiresAtMs },
            { key: `{${id}}:session`, value: 'session, | and ünïcödé\n', expiresAtMs },
          ],
        });
        assert.equal(outcome.outcome, 'won');
        const { values } = await replica.ledger.read([`{${id}}:session`, `{${id}}:missing`, `{${id}}:spent`]);
        assert.deepEqual(values, ['session, | and ünïcödé\n', undefined, 'a1|spent']);
      }),
    );

    it(
      "an entry may end between two milliseconds, as the end of somebody else's token may",
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const key = `once:${fresh('jti')}`;
        const expiresAtMs = (await ledger.now()) + MINUTE + 0.25;
        const written = await ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|', expiresAtMs }] });
        assert.equal(written.outcome, 'won');
        assert.deepEqual((await ledger.read([key])).values, ['a1|']);
        await ledger.raise(`before:${key}`, 7, expiresAtMs);
        assert.deepEqual(await ledger.marks([`before:${key}`]), [7]);
        await ledger.enlist(`subject:${key}`, 'member', expiresAtMs);
        assert.deepEqual(await ledger.listed(`subject:${key}`), ['member']);
      }),
    );

    it(
      'the first to write an entry has written it: the second is told what stands there',
      withStorage(create, async ({ storage, replica }) => {
        const id = fresh('id');
        const expiresAtMs = (await storage.ledger.now()) + MINUTE;
        const key = `{${id}}:decision`;
        await storage.ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|approved', expiresAtMs }] });
        const second = await replica.ledger.commit({
          attempt: 'a2',
          writes: [{ key, value: 'a2|denied', expiresAtMs }],
        });
        assert.equal(second.outcome === 'lost' && second.existing, 'a1|approved');
        assert.deepEqual((await storage.ledger.read([key])).values, ['a1|approved']);
      }),
    );

    it(
      'a commit that finds its own attempt has won, and writes nothing again',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const expiresAtMs = (await ledger.now()) + MINUTE;
        const change = (later: number) => ({
          attempt: 'a1',
          writes: [{ key: `{${id}}:spent`, value: 'a1|', expiresAtMs: expiresAtMs + later }] as const,
          // What held at the first time need not hold any more.
          requires: [`{${id}}:gone-since`],
          notAfterMs: 0,
        });
        await ledger.commit({ attempt: 'a1', writes: [...change(0).writes] });
        assert.equal((await ledger.commit(change(MINUTE))).outcome, 'won');
        await advance(MINUTE + SECOND);
        assert.deepEqual((await ledger.read([`{${id}}:spent`])).values, [undefined], 'its life was extended');
      }),
    );

    it(
      'an attempt whose name begins like another is another',
      withStorage(create, async ({ storage }) => {
        const id = fresh('id');
        const expiresAtMs = (await storage.ledger.now()) + MINUTE;
        const key = `{${id}}:spent`;
        await storage.ledger.commit({ attempt: 'a12', writes: [{ key, value: 'a12|x', expiresAtMs }] });
        const second = await storage.ledger.commit({ attempt: 'a1', writes: [{ key, value: 'a1|y', expiresAtMs }] });
        assert.equal(second.outcome, 'lost');
      }),
    );

    it(
      'a commit is refused, and writes nothing, while something that it requires is missing',
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const { id, keptUntilMs: expiresAtMs } = await startGrant({ storage });
        const outcome = await ledger.commit({
          attempt: 'a1',
          writes: [
            { key: `{${id}}:spent`, value: 'a1|', expiresAtMs },
            { key: `{${id}}:session`, value: 's', expiresAtMs },
          ],
          requires: [`{${id}}:grant`, `{${id}}:decision`],
        });
        assert.equal(outcome.outcome === 'refused' && outcome.because, `{${id}}:decision`);
        assert.deepEqual((await ledger.read([`{${id}}:spent`, `{${id}}:session`])).values, [undefined, undefined]);
      }),
    );

    it(
      'a commit is refused, and writes nothing, once something stands that excludes it',
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const { id, keptUntilMs: expiresAtMs } = await startGrant({ storage });
        await ledger.commit({ attempt: 'e1', writes: [{ key: `{${id}}:ended`, value: 'e1|', expiresAtMs }] });
        const outcome = await ledger.commit({
          attempt: 'a1',
          writes: [{ key: `{${id}}:decision`, value: 'a1|', expiresAtMs }],
          requires: [`{${id}}:grant`],
          unless: [`{${id}}:other`, `{${id}}:ended`],
        });
        assert.equal(outcome.outcome === 'refused' && outcome.because, `{${id}}:ended`);
        assert.deepEqual((await ledger.read([`{${id}}:decision`])).values, [undefined]);
      }),
    );

    it(
      'a commit that comes too late is refused, and writes nothing',
      withStorage(create, async ({ storage, advance }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const nowMs = await ledger.now();
        const write = { key: `{${id}}:decision`, value: 'a1|', expiresAtMs: nowMs + 10 * MINUTE };
        await advance(3 * SECOND);
        const late = await ledger.commit({ attempt: 'a1', writes: [write], notAfterMs: nowMs + 2 * SECOND });
        assert.equal(late.outcome === 'refused' && late.because, 'late');
        assert.deepEqual((await ledger.read([write.key])).values, [undefined]);
        const inTime = await ledger.commit({ attempt: 'a1', writes: [write], notAfterMs: nowMs + MINUTE });
        assert.equal(inTime.outcome, 'won');
      }),
    );

    it(
      'entries after the first stay as they are where they exist, and what is removed is gone',
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const id = fresh('id');
        const expiresAtMs = (await ledger.now()) + MINUTE;
        const key = (name: string) => `{${id}}:${name}`;
        await ledger.commit({ attempt: 'a1', writes: [{ key: key('session'), value: 'a1|old', expiresAtMs }] });
        await ledger.commit({ attempt: 'a2', writes: [{ key: key('sealed-token'), value: 'a2|', expiresAtMs }] });
        const outcome = await ledger.commit({
          attempt: 'a3',
          writes: [
            { key: key('ended'), value: 'a3|', expiresAtMs },
            { key: key('session'), value: 'new', expiresAtMs },
          ],
          removes: [key('sealed-token'), key('never-there')],
        });
        assert.equal(outcome.outcome, 'won');
        const { values } = await ledger.read([key('ended'), key('session'), key('sealed-token')]);
        assert.deepEqual(values, ['a3|', 'a1|old', undefined]);
      }),
    );

    it(
      'a refused commit removes nothing',
      withStorage(create, async ({ storage }) => {
        const { ledger } = storage;
        const { id, keptUntilMs: expiresAtMs, value } = await startGrant({ storage });
        const outcome = await ledger.commit({
          attempt: 'a1',
          writes: [{ key: `{${id}}:ended`, value: 'a1|', expiresAtMs }],
          requires: [`{${id}}:session`],
          removes: [`{${id}}:grant`],
        });
        assert.equal(outcome.outcome, 'refused');
        assert.deepEqual((await ledger.read([`{${id}}:grant`])).values, [value]);
      }),
    );
  });
}
