import assert from 'node:assert/strict';
import type { CommitOutcome, PaceRule } from '../../ledger/ledger.ts';
import {
  CLIENT,
  type CreateStorage,
  fresh,
  MINUTE,
  many,
  onlyWinner,
  SECOND,
  startGrant,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

const RULE: PaceRule = { sameMs: SECOND, toleranceMs: 500, stepMs: 5 * SECOND, ceilingMs: MINUTE };

/** What several callers at once see, of one process and of several. */
export function describeRaces({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('ledger: races', () => {
    it(
      '200 redemptions at once: one winner, in each of 50 rounds',
      withStorage(create, async (under) => {
        const { storage, replica } = under;
        for (let round = 0; round < 50; round += 1) {
          const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
          const outcomes = await many(200, (index) =>
            (index % 2 === 0 ? storage : replica).ledger.commit({
              attempt: `r${index}`,
              writes: [
                { key: `{${id}}:spent`, value: `r${index}|`, expiresAtMs },
                { key: `{${id}}:session`, value: `session of r${index}`, expiresAtMs },
              ],
              unless: [`{${id}}:ended`],
            }),
          );
          const winner = onlyWinner(outcomes);
          for (const each of outcomes) {
            assert.ok(each.outcome === 'won' || (each.outcome === 'lost' && each.existing === `r${winner}|`));
          }
          const { values } = await storage.ledger.read([`{${id}}:session`]);
          assert.deepEqual(values, [`session of r${winner}`]);
        }
      }),
    );

    it(
      'approve against deny: one of them stands, and the other is told which',
      withStorage(create, async (under) => {
        for (let round = 0; round < 50; round += 1) {
          const { id, expiresAtMs, keptUntilMs } = await startGrant(under);
          const key = `{${id}}:decision`;
          const decide = (index: number) => {
            const word = index === 0 ? 'approved' : 'denied';
            return (index === 0 ? under.storage : under.replica).ledger.commit({
              attempt: word,
              writes: [{ key, value: `${word}|sealed`, expiresAtMs: keptUntilMs }],
              requires: [`{${id}}:grant`],
              unless: [`{${id}}:ended`],
              notAfterMs: expiresAtMs,
            });
          };
          const outcomes = await many(2, (index) => decide((index + round) % 2));
          const winner = onlyWinner(outcomes);
          const [standing] = (await under.storage.ledger.read([key])).values;
          const loser = outcomes[1 - winner] as CommitOutcome;
          assert.equal(loser.outcome === 'lost' && loser.existing, standing);
        }
      }),
    );

    it(
      'end against redeem: ended and no session, or a session that is ended',
      withStorage(create, async (under) => {
        const seen = new Set<string>();
        for (let round = 0; round < 50; round += 1) {
          const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
          const key = (name: string) => `{${id}}:${name}`;
          const end = () =>
            under.replica.ledger.commit({ attempt: 'e', writes: [{ key: key('ended'), value: 'e|', expiresAtMs }] });
          const redeem = () =>
            under.storage.ledger.commit({
              attempt: 'r',
              writes: [
                { key: key('spent'), value: 'r|', expiresAtMs },
                { key: key('session'), value: 's', expiresAtMs },
              ],
              unless: [key('ended')],
            });
          const [redeemed, ended] =
            round % 2 === 0
              ? await Promise.all([redeem(), end()])
              : (await Promise.all([end(), redeem()])).toReversed();
          assert.equal(ended?.outcome, 'won', 'ending is never refused');
          const { values } = await under.storage.ledger.read([key('session'), key('ended')]);
          assert.deepEqual(values, [redeemed?.outcome === 'won' ? 's' : undefined, 'e|']);
          seen.add(redeemed?.outcome ?? '');
        }
        assert.ok(!seen.has('lost'));
      }),
    );

    it(
      'a decision that is written while 100 polls run is never lost',
      withStorage(create, async (under) => {
        for (let round = 0; round < 20; round += 1) {
          const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
          const write = { key: `{${id}}:decision`, value: 'd|sealed', expiresAtMs };
          const [decided, ...polls] = await Promise.all([
            under.replica.ledger.commit({ attempt: 'd', writes: [write], requires: [`{${id}}:grant`] }),
            ...Array.from({ length: 100 }, (_, index) =>
              (index % 2 === 0 ? under.storage : under.replica).ledger.poll(id, CLIENT, RULE),
            ),
          ]);
          assert.equal(decided.outcome, 'won');
          assert.ok(polls.every(({ state }) => state === 'pending' || state === 'settled'));
          const after = await under.storage.ledger.poll(id, CLIENT, RULE);
          assert.equal(after.state === 'settled' && after.decision, 'd|sealed');
        }
      }),
    );

    it(
      'polls that arrive together are counted one by one',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        // Without the second in which polls belong together, each of them raises the interval once more.
        const rule: PaceRule = { sameMs: 0, toleranceMs: 0, stepMs: SECOND, ceilingMs: 1000 * SECOND };
        await under.storage.ledger.poll(id, CLIENT, rule);
        const facts = await many(100, (index) =>
          (index % 2 === 0 ? under.storage : under.replica).ledger.poll(id, CLIENT, rule),
        );
        const intervals = facts.map((each) => (each.state === 'pending' ? each.intervalMs : 0)).sort((a, b) => a - b);
        assert.deepEqual(
          intervals,
          Array.from({ length: 100 }, (_, index) => (6 + index) * SECOND),
        );
      }),
    );

    it(
      '100 too early polls at once raise the interval once',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        await under.storage.ledger.poll(id, CLIENT, RULE);
        await under.advance(2 * SECOND);
        const facts = await many(100, () => under.storage.ledger.poll(id, CLIENT, RULE));
        assert.ok(
          facts.every(
            (each) => each.state === 'pending' && each.pace === 'too_early' && each.intervalMs === 10 * SECOND,
          ),
        );
      }),
    );

    it(
      'of 100 that take an entry one gets it',
      withStorage(create, async (under) => {
        const key = fresh('trip:');
        const expiresAtMs = (await under.storage.ledger.now()) + MINUTE;
        await under.storage.ledger.commit({ attempt: 't', writes: [{ key, value: 't|trip', expiresAtMs }] });
        const taken = await many(100, (index) => (index % 2 === 0 ? under.storage : under.replica).ledger.take(key));
        assert.deepEqual(
          taken.filter((value) => value !== undefined),
          ['t|trip'],
        );
      }),
    );

    it(
      'of 100 that want a lease one gets it',
      withStorage(create, async (under) => {
        const key = `{${fresh('id')}}:refreshing:0`;
        const got = await many(100, (index) =>
          (index % 2 === 0 ? under.storage : under.replica).ledger.lease(key, `name ${index}`, 15 * SECOND),
        );
        assert.equal(got.filter(Boolean).length, 1);
      }),
    );

    it(
      'a mark that many raise at once stands at the latest moment',
      withStorage(create, async (under) => {
        const key = fresh('before:');
        const nowMs = await under.storage.ledger.now();
        await many(100, (index) =>
          (index % 2 === 0 ? under.storage : under.replica).ledger.raise(
            key,
            nowMs + ((index * 37) % 100),
            nowMs + MINUTE,
          ),
        );
        assert.deepEqual(await under.replica.ledger.marks([key]), [nowMs + 99]);
      }),
    );

    it(
      'processes whose own clocks are two seconds apart judge the same',
      withStorage(create, async (under) => {
        const { id } = await startGrant(under);
        const realNow = Date.now;
        try {
          Date.now = () => realNow() - 2 * SECOND;
          const first = await under.storage.ledger.poll(id, CLIENT, RULE);
          Date.now = () => realNow() + 2 * SECOND;
          const same = await under.replica.ledger.poll(id, CLIENT, RULE);
          assert.deepEqual(same, first, 'a poll right after another belongs to it, whoever hears it');
          const [here, there] = await Promise.all([under.storage.ledger.now(), under.replica.ledger.now()]);
          assert.ok(Math.abs(here - there) < SECOND);
          const write = { key: fresh('code:'), value: 'a|', expiresAtMs: here + 10 * SECOND };
          assert.equal(
            (await under.replica.ledger.commit({ attempt: 'a', writes: [write], notAfterMs: here + SECOND })).outcome,
            'won',
          );
        } finally {
          Date.now = realNow;
        }
      }),
    );
  });
}
