import assert from 'node:assert/strict';
import type { Holder, PaceRule, PollFacts } from '../../ledger/ledger.ts';
import {
  CLIENT,
  type CreateStorage,
  fresh,
  MINUTE,
  SECOND,
  type StorageUnderTest,
  startGrant,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

const RULE: PaceRule = { sameMs: SECOND, toleranceMs: 500, stepMs: 5 * SECOND, ceilingMs: MINUTE };

const inTime = (intervalMs: number): PollFacts => ({ state: 'pending', pace: 'in_time', intervalMs });
const tooEarly = (intervalMs: number): PollFacts => ({ state: 'pending', pace: 'too_early', intervalMs });
const UNKNOWN: PollFacts = { state: 'unknown' };

/** Polls, each some time after the one before; the answers in order. */
async function pollAfter({ storage, advance }: StorageUnderTest, id: string, gapsMs: readonly number[]) {
  const answers: PollFacts[] = [];
  for (const gapMs of gapsMs) {
    await advance(gapMs);
    answers.push(await storage.ledger.poll(id, CLIENT, RULE));
  }
  return answers;
}

/** How a poll is judged (RFC 8628 §3.5). */
export function describePolls({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: who polls', () => {
    it(
      'an id without a grant is unknown',
      withStorage(create, async ({ storage }) => {
        assert.deepEqual(await storage.ledger.poll(fresh('id'), CLIENT, RULE), UNKNOWN);
      }),
    );

    it(
      'a poll by somebody else is unknown, and moves nothing',
      withStorage(create, async (under) => {
        const { ledger } = under.storage;
        const plain = await startGrant(under);
        const bound = await startGrant(under, { challenge: 'challenge', jkt: 'thumbprint' });
        const holder: Holder = { ...CLIENT, challenge: 'challenge', jkt: 'thumbprint' };
        const strangers: [string, Holder][] = [
          [plain.id, { ...CLIENT, clientId: 'another' }],
          [plain.id, { ...CLIENT, clientId: '' }],
          [plain.id, { ...CLIENT, challenge: 'challenge' }],
          [bound.id, { ...holder, clientId: 'another' }],
          [bound.id, { ...holder, challenge: '' }],
          [bound.id, { ...holder, challenge: 'other' }],
          [bound.id, { ...holder, jkt: '' }],
          [bound.id, { ...holder, jkt: 'other' }],
        ];
        for (const [id, stranger] of strangers) {
          assert.deepEqual(await ledger.poll(id, stranger, RULE), UNKNOWN);
        }
        // Had one of them been counted, the owner would now be heard as one who polls twice.
        await under.advance(2 * SECOND);
        assert.deepEqual(await ledger.poll(plain.id, CLIENT, RULE), inTime(5 * SECOND));
        assert.deepEqual(await ledger.poll(bound.id, holder, RULE), inTime(5 * SECOND));
      }),
    );

    it(
      'a proof of possession beside a grant that was bound to no key is fine',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        const facts = await under.storage.ledger.poll(id, { ...CLIENT, jkt: 'thumbprint' }, RULE);
        assert.deepEqual(facts, inTime(5 * SECOND));
      }),
    );

    it(
      'a stranger learns nothing of a settled grant either',
      withStorage(create, async (under) => {
        const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
        const key = `{${id}}:decision`;
        await under.storage.ledger.commit({ attempt: 'd1', writes: [{ key, value: 'd1|', expiresAtMs }] });
        assert.deepEqual(await under.storage.ledger.poll(id, { ...CLIENT, clientId: 'another' }, RULE), UNKNOWN);
      }),
    );
  });

  describe('ledger: the pace of polls', () => {
    it(
      'the first poll may come at once',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        assert.deepEqual(await pollAfter(under, id, [0]), [inTime(5 * SECOND)]);
      }),
    );

    it(
      'a poll within a second of a counted one gets the same answer and is not counted',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        // Were the second one counted, the third would come 4.1 s after it, and too early.
        const answers = await pollAfter(under, id, [0, 500, 4100]);
        assert.deepEqual(answers, [inTime(5 * SECOND), inTime(5 * SECOND), inTime(5 * SECOND)]);
      }),
    );

    it(
      'a too early poll raises the interval by the step, for this and all later polls',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        const answers = await pollAfter(under, id, [0, 2 * SECOND, 2 * SECOND, 12 * SECOND, 6 * SECOND, 10 * SECOND]);
        assert.deepEqual(answers, [
          inTime(5 * SECOND),
          tooEarly(10 * SECOND),
          tooEarly(15 * SECOND),
          inTime(15 * SECOND),
          tooEarly(20 * SECOND),
          // 16 s after the one that counted, and the interval is 20 s by now.
          tooEarly(25 * SECOND),
        ]);
      }),
    );

    it(
      'a poll within a second of a refused one gets the same answer, and the interval grows once',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        const answers = await pollAfter(under, id, [0, 2 * SECOND, 100, 100]);
        assert.deepEqual(answers.slice(1), [tooEarly(10 * SECOND), tooEarly(10 * SECOND), tooEarly(10 * SECOND)]);
      }),
    );

    it(
      'a refused poll does not move the time from which the next is reckoned',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        const answers = await pollAfter(under, id, [0, 3 * SECOND, 7 * SECOND]);
        assert.deepEqual(answers.at(-1), inTime(10 * SECOND));
      }),
    );

    it(
      'half a second too early is forgiven',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        assert.deepEqual(await pollAfter(under, id, [0, 4550]), [inTime(5 * SECOND), inTime(5 * SECOND)]);
      }),
    );

    it(
      'the interval grows to the ceiling and no further, and one beyond it stays',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under, { intervalMs: 48 * SECOND });
        const slow = await startGrant(under, { intervalMs: 90 * SECOND });
        const gaps = [0, 2 * SECOND, 2 * SECOND, 2 * SECOND, 2 * SECOND];
        const grown = (await pollAfter(under, id, gaps)).map((facts) => facts.state === 'pending' && facts.intervalMs);
        assert.deepEqual(
          grown,
          [48, 53, 58, 60, 60].map((seconds) => seconds * SECOND),
        );
        assert.deepEqual(await pollAfter(under, slow.id, [0, 2 * SECOND]), [
          inTime(90 * SECOND),
          tooEarly(90 * SECOND),
        ]);
      }),
    );
  });

  describe('ledger: settled grants', () => {
    for (const entry of ['decision', 'spent', 'ended'] as const) {
      it(
        `a grant with ${entry} is settled, whatever its pace`,
        withStorage(create, async (under) => {
          const { id, value, keptUntilMs: expiresAtMs } = await startGrant(under);
          await pollAfter(under, id, [0]);
          const write = { key: `{${id}}:${entry}`, value: 'x1|y', expiresAtMs };
          await under.storage.ledger.commit({ attempt: 'x1', writes: [write] });
          const facts = await under.replica.ledger.poll(id, CLIENT, RULE);
          assert.ok(facts.state === 'settled');
          const { nowMs, intervalMs, ...entries } = facts;
          assert.equal(intervalMs, 5 * SECOND);
          assert.ok(Math.abs(nowMs - (await under.storage.ledger.now())) < 10 * SECOND);
          const none = { decision: undefined, spent: undefined, ended: undefined, delivered: undefined };
          assert.deepEqual({ ...none, ...entries }, { state: 'settled', grant: value, ...none, [entry]: 'x1|y' });
        }),
      );
    }

    it(
      'a redeemed grant comes with all that is there',
      withStorage(create, async (under) => {
        const { id, value: grant, keptUntilMs: expiresAtMs } = await startGrant(under);
        const write = (name: string) => ({ key: `{${id}}:${name}`, value: `a1|${name}`, expiresAtMs });
        const [first, ...others] = ['decision', 'spent', 'ended', 'delivered'].map(write);
        assert.ok(first !== undefined);
        await under.storage.ledger.commit({ attempt: 'a1', writes: [first, ...others] });
        const facts = await under.storage.ledger.poll(id, CLIENT, RULE);
        assert.ok(facts.state === 'settled');
        const entries = { decision: 'a1|decision', spent: 'a1|spent', ended: 'a1|ended', delivered: 'a1|delivered' };
        const { nowMs } = facts;
        assert.deepEqual(facts, { state: 'settled', nowMs, intervalMs: 5 * SECOND, grant, ...entries });
      }),
    );

    it(
      'a settled grant tells the interval that its polls have raised',
      withStorage(create, async (under) => {
        const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
        await pollAfter(under, id, [0, 2 * SECOND]);
        const write = { key: `{${id}}:decision`, value: 'd1|', expiresAtMs };
        await under.storage.ledger.commit({ attempt: 'd1', writes: [write] });
        const facts = await under.replica.ledger.poll(id, CLIENT, RULE);
        assert.ok(facts.state === 'settled');
        assert.equal(facts.intervalMs, 10 * SECOND);
      }),
    );

    it(
      'at the end of the code’s life an undecided grant is settled, and later unknown',
      withStorage(create, async (under) => {
        const { id, expiresAtMs, keptUntilMs } = await startGrant(under);
        await under.advance(10 * MINUTE);
        const facts = await under.storage.ledger.poll(id, CLIENT, RULE);
        assert.ok(facts.state === 'settled' && facts.nowMs >= expiresAtMs && facts.decision === undefined);
        await under.advance(keptUntilMs - expiresAtMs + 100);
        assert.deepEqual(await under.storage.ledger.poll(id, CLIENT, RULE), UNKNOWN);
      }),
    );
  });
}
