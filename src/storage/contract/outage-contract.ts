import assert from 'node:assert/strict';
import { PACE_RULE } from '../../grants/redeem/polling.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { Storage } from '../storage.ts';
import {
  CLIENT,
  type CreateStorage,
  fresh,
  MINUTE,
  type Outage,
  SECOND,
  type StorageUnderTest,
  startGrant,
  type TestRunner,
  withStorage,
} from './contract-harness.ts';

/** A device that waits longer has given up on its own; ours wait 3 s. */
const ANSWERED_WITHIN_MS = 10 * SECOND;
const BACK_WITHIN_MS = 30 * SECOND;

/** Every verb, with arguments that a broker would give. */
function everyVerb({ ledger, counters, browserSessions }: Storage): Record<string, () => Promise<unknown>> {
  const expiresAtMs = Date.now() + MINUTE;
  const place = { places: [{ key: `{${fresh('away')}}:places`, most: 9 }], windowSeconds: 60 };
  return {
    now: () => ledger.now(),
    read: () => ledger.read([`{${fresh('away')}}:grant`]),
    commit: () => ledger.commit({ attempt: 'a', writes: [{ key: fresh('code:away'), value: 'a|', expiresAtMs }] }),
    take: () => ledger.take(fresh('trip:away')),
    poll: () => ledger.poll(fresh('away'), CLIENT, PACE_RULE),
    raise: () => ledger.raise(fresh('before:away'), 1, expiresAtMs),
    marks: () => ledger.marks([fresh('before:away')]),
    enlist: () => ledger.enlist(fresh('subject:away'), 'member', expiresAtMs),
    listed: () => ledger.listed(fresh('subject:away')),
    lease: () => ledger.lease(`{${fresh('away')}}:lease`, 'me', SECOND),
    release: () => ledger.release(`{${fresh('away')}}:lease`, 'me'),
    ids: () => ledger.ids('session')[Symbol.asyncIterator]().next(),
    idsFrom: () => ledger.idsFrom('session', undefined, 10),
    add: () => counters.add(fresh('away:'), 60),
    current: () => counters.current(fresh('away:'), 60),
    takePlaces: () => counters.takePlaces(place),
    giveBackPlaces: () => counters.giveBackPlaces(place.places.map(({ key }) => key)),
    'get a browser session': () => browserSessions.get(fresh('away')),
    'set a browser session': () => browserSessions.set(fresh('away'), 'sealed', MINUTE),
    'destroy a browser session': () => browserSessions.destroy(fresh('away')),
  };
}

async function isRefusedAsAway(verb: string, ask: () => Promise<unknown>): Promise<void> {
  const beganAtMs = performance.now();
  const answer = await ask().then(
    () => 'an answer',
    (error: unknown) => error,
  );
  const said = answer instanceof Error ? `${answer.name}: ${answer.message}` : String(answer);
  assert.ok(answer instanceof StorageUnavailableError, `${verb} gave ${said}, where it must say that nobody answers`);
  const tookMs = performance.now() - beganAtMs;
  assert.ok(tookMs < ANSWERED_WITHIN_MS, `${verb} was refused after ${Math.round(tookMs)} ms only`);
}

/** Asks until it is answered: a storage comes back by itself. */
async function onceBack<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const untilMs = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StorageUnavailableError) || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Gives a test a storage whose outages it makes. A storage that has none is always ready, and that is all to say of it. */
function withOutage(create: CreateStorage, body: (under: StorageUnderTest, outage: Outage) => Promise<void>) {
  return withStorage(create, async (under) => {
    if (under.outage === undefined) assert.equal(await under.storage.isReady(), true);
    else await body(under, under.outage);
  });
}

/** What callers see while the storage cannot be reached, and what is there afterwards. */
export function describeOutages({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('outages', () => {
    it(
      'every verb says in time that nobody answers, and in no other words',
      withOutage(create, async ({ storage }, outage) => {
        assert.equal(await storage.isReady(), true);
        await outage.begin();
        await Promise.all(Object.entries(everyVerb(storage)).map(([verb, ask]) => isRefusedAsAway(verb, ask)));
        assert.equal(await storage.isReady(), false);
        await outage.end();
        for (const ask of Object.values(everyVerb(storage))) await onceBack(ask);
        assert.equal(await storage.isReady(), true);
      }),
    );

    it(
      'remove nothing',
      withOutage(create, async (under, outage) => {
        const { storage } = under;
        const { ledger, counters, browserSessions } = storage;
        // An interval that no outage is as long as.
        const { id, value, keptUntilMs: expiresAtMs } = await startGrant(under, { intervalMs: MINUTE });
        const [mark, index, count, session] = ['before:', 'subject:', 'count:', 'hash'].map(fresh) as [
          ...[string, string, string, string],
        ];
        await ledger.poll(id, CLIENT, PACE_RULE);
        await ledger.raise(mark, 7, expiresAtMs);
        await ledger.enlist(index, 'member', expiresAtMs);
        await counters.add(count, 600, 3);
        await browserSessions.set(session, 'sealed', 10 * MINUTE);
        await outage.begin();
        await Promise.all(Object.entries(everyVerb(storage)).map(([verb, ask]) => isRefusedAsAway(verb, ask)));
        await outage.end();
        assert.deepEqual((await onceBack(() => ledger.read([`{${id}}:grant`]))).values, [value]);
        assert.deepEqual(await ledger.marks([mark]), [7]);
        assert.deepEqual(await ledger.listed(index), ['member']);
        assert.equal(await counters.current(count, 600), 3);
        assert.equal(await browserSessions.get(session), 'sealed');
        await under.advance(2 * SECOND);
        const facts = await ledger.poll(id, CLIENT, PACE_RULE);
        assert.equal(facts.state === 'pending' && facts.pace, 'too_early', 'the pace of the polls is forgotten');
      }),
    );

    it(
      'leave a commit that they met whole or not at all, and its caller may try again',
      withOutage(create, async (under, outage) => {
        const { ledger } = under.storage;
        const { id, keptUntilMs: expiresAtMs } = await startGrant(under);
        const keys = [`{${id}}:spent`, `{${id}}:session`] as const;
        const redeem = () =>
          ledger.commit({
            attempt: 'r1',
            writes: [
              { key: keys[0], value: 'r1|', expiresAtMs },
              { key: keys[1], value: 'session of r1', expiresAtMs },
            ],
            requires: [`{${id}}:grant`],
          });
        await outage.begin();
        await isRefusedAsAway('commit', redeem);
        await outage.end();
        const { values } = await onceBack(() => ledger.read(keys));
        assert.equal(values[0] === undefined, values[1] === undefined, 'half a commit stands');
        assert.equal((await onceBack(redeem)).outcome, 'won');
        assert.deepEqual((await ledger.read(keys)).values, ['r1|', 'session of r1']);
      }),
    );
  });
}
