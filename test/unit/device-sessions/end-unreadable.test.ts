import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DeviceSession } from '../../../src/device-sessions/device-session.ts';
import { endSession } from '../../../src/device-sessions/end-session.ts';
import { endedEntry, refreshEntry } from '../../../src/ledger/entry-keys.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';

const newKey = () => new Secret(randomBytes(32).toString('base64url'));

describe('a session whose refresh entry cannot be read here', () => {
  it.each([
    ['under the key of another replica', createSealing([newKey()]).vouch(refreshEntry('a'), 'x|2.1.5|s|t|u')],
    ['under a key that nobody has', 'x|2.1.5|s|t|u|AAAAAA|zzzz'],
    ['which is no entry', 'x|junk'],
    ['which is empty', ''],
  ])('ends all the same: %s', async (_what, value) => {
    const { ledger } = memoryStorage();
    const deps = { ledger, sealing: createSealing([newKey()]), randomBytes };
    const endsAtMs = Date.now() + 600_000;
    await ledger.commit({ attempt: 'x', writes: [{ key: refreshEntry('a'), value, expiresAtMs: endsAtMs }] });
    const session = { id: 'a', endsAtMs, keyName: 'k' } as DeviceSession;
    expect(await endSession(deps, session, 'administrator')).toBe(true);
    expect((await ledger.read([endedEntry('a')])).values[0]).toBeDefined();
  });
});
