import assert from 'node:assert/strict';
import { type CreateStorage, fresh, MINUTE, type TestRunner, withStorage } from './contract-harness.ts';

export function describeCounters({ describe, it }: TestRunner, create: CreateStorage): void {
  describe('counters', () => {
    it(
      'grow by what is added, and answer what they hold',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('wrong-codes:');
        assert.equal(await storage.counters.current(key, 600), 0);
        assert.equal(await storage.counters.add(key, 600), 1);
        assert.equal(await replica.counters.add(key, 600, 5), 6);
        assert.equal(await storage.counters.current(key, 600), 6);
        assert.equal(await storage.counters.current(fresh('other:'), 600), 0);
      }),
    );

    it(
      '100 that add at once each see another number',
      withStorage(create, async ({ storage, replica }) => {
        const key = fresh('starts:');
        const seen = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? storage : replica).counters.add(key, 60)),
        );
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          Array.from({ length: 100 }, (_, index) => index + 1),
        );
      }),
    );

    it(
      'begin anew when their window has passed, however often they were added to',
      withStorage(create, async ({ storage, advance }) => {
        const key = fresh('wrong-codes:');
        await storage.counters.add(key, 600);
        await advance(6 * MINUTE);
        await storage.counters.add(key, 600);
        await advance(5 * MINUTE);
        assert.equal(await storage.counters.current(key, 600), 0);
        assert.equal(await storage.counters.add(key, 600), 1);
      }),
    );

    it(
      'take a place in all or in none, however many come together',
      withStorage(create, async ({ storage, replica }) => {
        const group = fresh('group');
        const [narrow, wide] = [`{${group}}:narrow`, `{${group}}:wide`];
        const places = [
          { key: narrow, most: 10 },
          { key: wide, most: 50 },
        ];
        const full = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            (index % 2 === 0 ? storage : replica).counters.takePlaces({ places, windowSeconds: 600 }),
          ),
        );
        assert.equal(full.filter((each) => each === undefined).length, 10);
        assert.equal(full.filter((each) => each?.index === 0).length, 90);
        assert.ok(full.every((each) => each === undefined || (each.secondsLeft > 590 && each.secondsLeft <= 600)));
        assert.deepEqual(
          [await storage.counters.current(narrow, 600), await storage.counters.current(wide, 600)],
          [10, 10],
        );
        const wider = await storage.counters.takePlaces({ places: [{ key: wide, most: 10 }], windowSeconds: 600 });
        assert.equal(wider?.index, 0);
      }),
    );

    it(
      'take one place for one holder, also when it comes twice at once',
      withStorage(create, async ({ storage, replica }) => {
        const group = fresh('group');
        const take = (at: typeof storage, who: string) => {
          const places = [{ key: `{${group}}:places`, most: 2 }];
          return at.counters.takePlaces({ places, windowSeconds: 600, holder: `{${group}}:${who}` });
        };
        const names = ['a', 'a', 'b', 'b', 'a', 'b'];
        const full = await Promise.all(names.map((who, index) => take(index % 2 === 0 ? storage : replica, who)));
        assert.deepEqual(full, [undefined, undefined, undefined, undefined, undefined, undefined]);
        assert.equal(await storage.counters.current(`{${group}}:places`, 600), 2);
        const more = [await take(storage, 'c'), await take(replica, 'c'), await take(storage, 'a')];
        assert.deepEqual(
          more.map((each) => each?.index),
          [0, 0, undefined],
        );
      }),
    );

    it(
      'say whether there is room and take nothing',
      withStorage(create, async ({ storage }) => {
        const key = `{${fresh('group')}}:places`;
        const look = { places: [{ key, most: 1 }], windowSeconds: 600, isLook: true };
        assert.equal(await storage.counters.takePlaces(look), undefined);
        assert.equal(await storage.counters.current(key, 600), 0);
        await storage.counters.takePlaces({ ...look, isLook: false });
        assert.equal((await storage.counters.takePlaces(look))?.index, 0);
      }),
    );

    it(
      'have room again for each place that is given back, and for no more',
      withStorage(create, async ({ storage, replica, advance }) => {
        const group = fresh('group');
        const places = [
          { key: `{${group}}:a`, most: 1 },
          { key: `{${group}}:b`, most: 9 },
        ];
        const take = async () => (await storage.counters.takePlaces({ places, windowSeconds: 600 }))?.index;
        const giveBack = () => replica.counters.giveBackPlaces(places.map(({ key }) => key));
        await giveBack();
        assert.deepEqual([await take(), await take()], [undefined, 0]);
        await giveBack();
        await giveBack();
        assert.deepEqual([await take(), await take()], [undefined, 0]);
        await advance(11 * MINUTE);
        await giveBack();
        assert.deepEqual([await take(), await take()], [undefined, 0]);
      }),
    );
  });
}
