import { expect, it } from 'vitest';
import { measuredStorage } from '../../../src/storage/measured-storage.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';

it('every verb of the storage contract is timed under its name, whether it is answered or not', async () => {
  const verbs: string[] = [];
  const storage = memoryStorage();
  const { ledger, counters } = measuredStorage(storage, (verb, seconds) => {
    expect(seconds).toBeLessThan(1);
    verbs.push(verb);
  });
  const expiresAtMs = (await ledger.now()) + 1000;
  await ledger.commit({ attempt: 'a', writes: [{ key: '{i}:grant', value: 'a|', expiresAtMs }] });
  await ledger.read(['{i}:grant']);
  await ledger.take('{i}:grant');
  await ledger.poll(
    'i',
    { clientId: 'c', challenge: '', jkt: '' },
    { sameMs: 1, toleranceMs: 1, stepMs: 1, ceilingMs: 1 },
  );
  await ledger.raise('before:all', 1, expiresAtMs);
  await ledger.marks(['before:all']);
  await ledger.enlist('subject:s', 'i', expiresAtMs);
  await ledger.listed('subject:s');
  await ledger.lease('{i}:refreshing:0', 'n', 1000);
  await ledger.release('{i}:refreshing:0', 'n');
  await counters.add('k', 60);
  await counters.current('k', 60);
  await counters.takePlaces({ places: [{ key: '{k}', most: 1 }], windowSeconds: 60 });
  await counters.giveBackPlaces(['{k}']);
  expect(verbs).toEqual([
    'now',
    'commit',
    'read',
    'take',
    'poll',
    'raise',
    'marks',
    'enlist',
    'listed',
    'lease',
    'release',
    'add',
    'current',
    'takePlaces',
    'giveBackPlaces',
  ]);

  storage.ledger.read = () => Promise.reject(new Error('away'));
  await expect(ledger.read(['{i}:grant'])).rejects.toThrow('away');
  expect(verbs.at(-1)).toBe('read');
  await storage.close();
});
