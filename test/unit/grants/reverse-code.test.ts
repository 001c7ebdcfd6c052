import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Poll } from '../../../src/grants/redeem/poll.ts';
import type { RedeemDeps } from '../../../src/grants/redeem/redeem-deps.ts';
import { judgeReverseCode } from '../../../src/grants/redeem/reverse-code.ts';
import { BASE20 } from '../../../src/grants/start/user-code.ts';
import { confirmationDeniedEntry, endedEntry } from '../../../src/ledger/entry-keys.ts';
import type { Grant } from '../../../src/ledger/grant.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';
import { sampleApproval } from '../tokens/token-samples.ts';

const grant = { id: 'some-id', startedAtMs: Date.now(), keptUntilMs: Date.now() + 60_000 } as Grant;
const approval = sampleApproval({ confirmationCode: '4711' });
let deps: RedeemDeps;

beforeEach(() => {
  const unused = () => Promise.reject(new Error('not asked for'));
  deps = {
    ledger: memoryStorage().ledger,
    sealing: createSealing([new Secret(randomBytes(32).toString('base64url'))]),
    randomBytes,
    userCodes: { alphabet: BASE20, length: 8, group: 4 },
    beginSession: unused,
    issueTokens: unused,
    onReplayed: () => undefined,
    areSafeguardsStillMet: () => true,
    onRefused: () => undefined,
    onUnconfirmed: () => undefined,
    onForgery: () => undefined,
  };
});

const judge = (reverseCode: string | undefined, approved = approval) =>
  judgeReverseCode(deps, grant, approved, {
    client: sampleClient(),
    deviceCode: new Secret('device'),
    challenge: '',
    jkt: '',
    proof: { follow: async () => 'newest', spend: async () => {} },
    resources: [],
    reverseCode,
  } satisfies Poll);

const hasEnded = async () => (await deps.ledger.read([endedEntry(grant.id)])).values[0] !== undefined;

describe('judgeReverseCode: the digits that the page shows and the device sends', () => {
  it('asks for nothing where the approval has none', async () => {
    expect(await judge(undefined, sampleApproval())).toBe('right');
    expect(await judge('1234', sampleApproval())).toBe('right');
  });

  it('waits until they come, and takes the right ones', async () => {
    expect([await judge(undefined), await judge('4711')]).toEqual(['awaited', 'right']);
  });

  it('bears two wrong codes; the third denies, and the right one is then too late', async () => {
    expect([await judge('0001'), await judge('0002')]).toEqual(['awaited', 'awaited']);
    expect([await judge('0003'), await hasEnded()]).toEqual(['refused', true]);
  });

  it('still takes the right one after two wrong ones', async () => {
    await judge('0001');
    await judge('0002');
    expect([await judge('4711'), await hasEnded()]).toEqual(['right', false]);
  });

  it('counts the same wrong code once: a poll sent twice is one try', async () => {
    for (let n = 0; n < 5; n += 1) expect(await judge('0001')).toBe('awaited');
    expect(await judge('0002')).toBe('awaited');
    expect(await hasEnded()).toBe(false);
  });

  it('parallel guesses do not share a try', async () => {
    const guesses = Array.from({ length: 50 }, (_, index) => judge(String(index).padStart(4, '0')));
    const answers = await Promise.all(guesses);
    expect(answers.filter((answer) => answer === 'awaited').length).toBeLessThanOrEqual(2);
    expect(answers).not.toContain('right');
    expect(await hasEnded()).toBe(true);
  });

  it.each([0, 1, 2, 3, 10, 49])(
    'of fifty at once the right one counts only among the first three: at place %i',
    async (at) => {
      const guesses = Array.from({ length: 50 }, (_, index) => judge(index === at ? '4711' : String(index)));
      const answers = await Promise.all(guesses);
      expect(answers.filter((answer) => answer === 'right')).toHaveLength(at < 3 ? 1 : 0);
      expect(answers.filter((answer) => answer !== 'refused').length).toBeLessThanOrEqual(3);
      // A redemption that is under way finds the mark, or was first.
      expect((await deps.ledger.read([confirmationDeniedEntry(grant.id)])).values[0]).toBeDefined();
    },
  );

  it('is denied once, however many are refused', async () => {
    const refusals: string[] = [];
    deps.onRefused = (_grant, _approval, reason) => void refusals.push(reason);
    await Promise.all(Array.from({ length: 50 }, (_, index) => judge(String(index))));
    await judge('4711');
    expect(refusals).toEqual(['confirmation_code']);
  });
});
