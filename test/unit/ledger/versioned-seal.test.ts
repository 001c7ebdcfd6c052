import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { takeTrip } from '../../../src/grants/decide/trip.ts';
import { BASE20 } from '../../../src/grants/start/user-code.ts';
import { newAttempt } from '../../../src/ledger/attempt.ts';
import { tripEntry } from '../../../src/ledger/entry-keys.ts';
import { UnreadableFormatError } from '../../../src/ledger/grant.ts';
import { openVersioned, sealVersioned } from '../../../src/ledger/versioned-seal.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';

const sealing = createSealing([new Secret(Buffer.alloc(32, 1).toString('base64url'))]);
const FORM = { kind: 'thing', format: 1 };

describe('a sealed value', () => {
  it('comes back as it was, whatever it is', async () => {
    for (const content of [{ a: [1, 2] }, 'text', 7, null, [2, 'looks like a numbered one']]) {
      const sealed = await sealVersioned(sealing, FORM, content, 'here');
      expect(await openVersioned(sealing, FORM, sealed, 'here')).toEqual(content);
    }
  });

  it.each([
    ['with the next number', sealVersioned(sealing, { ...FORM, format: 2 }, {}, 'here'), /thing of format 2.*reads 1/],
    ['without a number', sealing.seal({ a: 1 }, 'here'), /thing of format undefined/],
    ['that is no list', sealing.seal('text', 'here'), /thing of format undefined/],
  ])('%s is said to be unreadable, and is not taken for something else', async (_, sealed, words) => {
    const opened = openVersioned(sealing, FORM, await sealed, 'here');
    await expect(opened).rejects.toBeInstanceOf(UnreadableFormatError);
    await expect(opened).rejects.toThrow(words);
  });

  it('of a newer release is left where it is: a trip can still be finished at a replica that knows it', async () => {
    const { ledger } = memoryStorage();
    const deps = { ledger, sealing, randomBytes, userCodes: { alphabet: BASE20, length: 8, group: 4 } };
    const [browser, state, attempt] = [new Secret('browser'), 'state', newAttempt(randomBytes)];
    const tag = sealing.tag('trip', state);
    const value = `${attempt}|${await sealing.seal([2, {}], `trip ${tag}`, browser)}`;
    await ledger.commit({ attempt, writes: [{ key: tripEntry(tag), value, expiresAtMs: Date.now() + 60_000 }] });
    await expect(takeTrip(deps, browser, state)).rejects.toBeInstanceOf(UnreadableFormatError);
    expect((await ledger.read([tripEntry(tag)])).values).toEqual([value]);
  });
});
