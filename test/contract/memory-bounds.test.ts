import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../src/storage/memory/memory-ledger.ts';
import { memoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { openStorage } from '../../src/storage/open-storage.ts';

const START_MS = 1_000_000;
const LIFE_MS = 60_000;

function ledgerWithClock(maxEntries: number) {
  const clock = { nowMs: START_MS };
  const ledger = new MemoryLedger(() => clock.nowMs, maxEntries);
  const write = (...keys: [string, ...string[]]) => {
    const [first, ...others] = keys.map((key) => ({ key, value: 'a|', expiresAtMs: clock.nowMs + LIFE_MS }));
    return ledger.commit({
      attempt: 'a',
      writes: [first as { key: string; value: string; expiresAtMs: number }, ...others],
    });
  };
  return { clock, ledger, write };
}

describe('the memory storage is bounded', () => {
  it('a full ledger refuses what is new, keeps what it has, and goes on answering', async () => {
    const { ledger, write } = ledgerWithClock(10);
    for (let n = 0; n < 10; n += 1) {
      await write(`code:${n}`);
    }
    await expect(write('code:10')).rejects.toThrow(StorageUnavailableError);
    await expect(ledger.lease('{x}:lease', 'n', 1000)).rejects.toThrow(StorageUnavailableError);
    await expect(ledger.raise('before:all', START_MS, START_MS + LIFE_MS)).rejects.toThrow(StorageUnavailableError);
    const keys = Array.from({ length: 11 }, (_, n) => `code:${n}`);
    const { values } = await ledger.read(keys);
    expect(values).toEqual([...Array.from({ length: 10 }, () => 'a|'), undefined]);
    expect((await write('code:3')).outcome).toBe('won');
  });

  it('what does not fit as a whole is not written in part', async () => {
    const { ledger, write } = ledgerWithClock(3);
    await write('code:1');
    await expect(write('{x}:spent', '{x}:session', '{x}:refresh:0')).rejects.toThrow(StorageUnavailableError);
    expect((await ledger.read(['{x}:spent', '{x}:session'])).values).toEqual([undefined, undefined]);
    expect((await write('{x}:spent', '{x}:session')).outcome).toBe('won');
  });

  it('what has expired makes room at once for what is new', async () => {
    const { clock, write } = ledgerWithClock(10);
    for (let round = 0; round < 5; round += 1) {
      for (let n = 0; n < 10; n += 1) {
        expect((await write(`code:${round}-${n}`)).outcome).toBe('won');
      }
      clock.nowMs += LIFE_MS;
    }
  });

  it('memory of what has expired is freed by the writes that follow, long before it is full', async () => {
    const { clock, ledger, write } = ledgerWithClock(1_000_000);
    for (let n = 0; n < 10_000; n += 1) {
      await write(`code:${n}`);
    }
    clock.nowMs += LIFE_MS;
    for (let n = 0; n < 5000; n += 1) {
      await write(`trip:${n}`);
    }
    expect(ledger.size).toBeLessThanOrEqual(5000);
  });

  it('a flood of counters is refused rather than older ones forgotten', async () => {
    const { counters } = memoryStorage({ maxEntries: 5, clock: () => START_MS });
    for (let n = 0; n < 5; n += 1) {
      await counters.add(`source:${n}`, 600);
    }
    await expect(counters.add('source:5', 600)).rejects.toThrow(StorageUnavailableError);
    expect(await counters.add('source:0', 600)).toBe(2);
  });

  it('a flood of browser sessions is refused too', async () => {
    const { browserSessions } = memoryStorage({ maxEntries: 2, clock: () => START_MS });
    const set = (key: string) => browserSessions.set(key, 'sealed', LIFE_MS);
    await Promise.all([set('1'), set('2')]);
    await expect(set('3')).rejects.toThrow(StorageUnavailableError);
    await set('1');
  });
});

describe('opening the memory storage', () => {
  it('loads nothing of Redis, which would make every start slower', async () => {
    const storage = await openStorage({ driver: 'memory' });
    expect(await storage.isReady()).toBe(true);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.filter((file) => /node_modules.ioredis/.test(file))).toEqual([]);
  });
});
