import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inBatches } from '../../../src/ledger/look-through.ts';

it('looks at fifty at a time, and gives every result once', async () => {
  let [running, most] = [0, 0];
  const look = async (id: string) => {
    running += 1;
    most = Math.max(most, running);
    await delay(1);
    running -= 1;
    return id;
  };
  const ids = Array.from({ length: 120 }, (_, n) => String(n));
  const found: string[] = [];
  for await (const id of inBatches(ids, look)) found.push(id);
  expect([found, most]).toEqual([ids, 50]);
});

it('a look that fails while more ids are awaited fails the walk, and nothing else', async () => {
  async function* slowly() {
    for (const id of ['a', 'b', 'c']) {
      yield id;
      await delay(5);
    }
  }
  const walk = inBatches(slowly(), () => Promise.reject(new Error('away')));
  await expect(walk.next()).rejects.toThrow('away');
});
