import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Safeguards } from '../../../src/clients/registered-client.ts';
import { approveGrant } from '../../../src/grants/decide/decide-grant.ts';
import { pollGrant } from '../../../src/grants/redeem/poll-grant.ts';
import type { RedeemDeps } from '../../../src/grants/redeem/redeem-deps.ts';
import { startGrant } from '../../../src/grants/start/start-grant.ts';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import type { Grant } from '../../../src/ledger/grant.ts';
import { confirmationAtStart } from '../../../src/safeguards/same-device.ts';
import { areSafeguardsStillMet } from '../../../src/safeguards/still-met.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import { sampleApproval } from '../tokens/token-samples.ts';
import { clientWith, safeguardDeps } from './safeguard-deps.ts';

const VICTIMS = 50;
const PHISHER = '203.0.113.7';
/** Nothing that it sees by itself stands in the way: the phisher has an address for each victim, in their network. */
const UNSEEN = { sameNetwork: 'off', campaign: 'off' } as const;
const LOOPBACK = { port: 49_152, path: 'Zm9ydHktdHdvIHJhbmRvbS' };

/** What the phisher's device says that it can; the best of them is what counts. */
type Start = Grant['confirmation'];
/** What victims do besides approving: read out whatever their browser shows, digits and addresses. */
type Help = 'none' | 'phone';

function scene(safeguards: Partial<Safeguards>) {
  const { judge, now } = safeguardDeps({ approvalsPerSubject: 0 });
  const { ledger } = memoryStorage();
  const client = clientWith('standard', { ...UNSEEN, ...safeguards, holdSeconds: 0 });
  const deps: RedeemDeps = {
    ...{ ledger, randomBytes, userCodes: { alphabet: 'BCDFGHJKLMNPQRSTVWXZ', length: 8, group: 4 } },
    sealing: createSealing([new Secret(randomBytes(32).toString('base64url'))]),
    beginSession: async (_, __, attempt) => ({
      entries: [{ key: `session-${attempt}`, value: `${attempt}|`, expiresAtMs: Date.now() + 60_000 }],
      endsAtMs: Date.now() + 60_000,
    }),
    issueTokens: async () => ({ outcome: 'issued', answer: { access_token: 'token' } }),
    areSafeguardsStillMet: (of, grant, approval) => areSafeguardsStillMet(of, grant, approval, () => 30),
    ...{ onReplayed: () => {}, onRefused: () => {}, onUnconfirmed: () => {}, onForgery: () => {} },
  };

  /** Whether this victim's approval is worth tokens to a phisher who starts like this. */
  return async (victim: number, confirmation: Start, help: Help): Promise<boolean> => {
    if (confirmationAtStart(client.safeguards, confirmation) === 'refuse') return false;
    const started = await startGrant(deps, {
      ...{ clientId: client.id, challenge: '', jkt: '', scopes: ['openid'], resources: [], source: PHISHER },
      ...{ lifetimeSeconds: 600, intervalSeconds: 5, userCodeLength: 8, confirmation },
      loopback: confirmation === 'loopback' ? LOOPBACK : undefined,
    });
    const view = await viewGrant(deps, started.id, 'victim');
    if (view === undefined) throw new Error('the grant is gone');
    const person = { upstream: 'corp', subject: `victim-${victim}`, address: PHISHER, nowMs: now() };
    const entry = { userCode: started.userCode, codePrefilled: false, followedLink: false, openElsewhere: false };
    const form = { ...entry, typedSuffix: '', browser: 'victim' };
    const judged = await judge.judgeApproval(client, view.grant, person, form);
    if (judged.verdict !== 'allowed') return false;
    const { reverseCode: confirmationCode, proof: confirmationProof } = judged;
    const approval = sampleApproval({ confirmationCode, confirmationProof, approvedAtMs: view.nowMs });
    await approveGrant(deps, view.grant, { ...approval, scopes: ['openid'], resources: [] }, 'victim');

    // Without help there are three guesses; those of this phisher are never the digits, which one in 3333 would be.
    const guesses = ['0000', '0001', '0002', '0003'].filter((guess) => guess !== confirmationCode).slice(0, 3);
    const tried = help === 'phone' ? [confirmationProof ?? confirmationCode] : [undefined, ...guesses];
    for (const reverseCode of tried) {
      const { outcome } = await pollGrant(deps, {
        ...{ client, deviceCode: started.deviceCode, challenge: '', jkt: '', resources: [], reverseCode },
        proof: { follow: async () => 'newest', spend: async () => {} },
      });
      if (outcome === 'tokens') return true;
    }
    return false;
  };
}

/** Of fifty victims, by the start that gets most. */
async function phish(safeguards: Partial<Safeguards>, help: Help): Promise<number> {
  const counts = [];
  for (const confirmation of [undefined, 'supported', 'loopback'] as const) {
    const play = scene(safeguards);
    const got = await Promise.all(Array.from({ length: VICTIMS }, (_, victim) => play(victim, confirmation, help)));
    counts.push(got.filter(Boolean).length);
  }
  return Math.max(...counts);
}

describe('fifty willing victims, where networks and numbers tell nothing', () => {
  it.each<[string, Partial<Safeguards>, number, number]>([
    ['nothing is asked for', { local: 'off', reverseCode: 'off' }, 50, 50],
    ['the proof is offered', { local: 'offered' }, 50, 50],
    ['the proof is offered, and digits too, as strict has it', { local: 'offered', reverseCode: 'supported' }, 50, 50],
    ['digits are required', { local: 'off', reverseCode: 'required' }, 0, 50],
    ['a proof or digits are required', { local: 'required' }, 0, 50],
  ])('where %s', async (_, safeguards, alone, withHelp) => {
    expect([await phish(safeguards, 'none'), await phish(safeguards, 'phone')]).toEqual([alone, withHelp]);
  });

  it('get their own tokens all the same, on their own machines', async () => {
    const play = scene({ local: 'required' });
    // What "phone" hears is what the person's own device is brought.
    expect(await play(1, 'loopback', 'phone')).toBe(true);
  });
});
