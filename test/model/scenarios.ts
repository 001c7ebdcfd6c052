import { randomBytes } from 'node:crypto';
import { sealApproval, sealDecision } from '../../src/ledger/decision.ts';
import { approve, clock, deny, device, end, endAndTake, forger, kill, session, stranger } from './callers.ts';
import type { Scenario } from './play.ts';
import { RESOURCES, type StageSettings } from './stage.ts';

const MINUTE = 60 * 1000;
const [A, B] = RESOURCES;

/** The session carries a token of the upstream. */
const ASKED: StageSettings = {
  upTo: 'redeemed',
  approval: { upstreamTokens: { tokenType: 'Bearer', refreshToken: 'u1', members: {} } },
};

/** Who meets whom. Each is small enough that all its schedules can be looked at; together they have every verb of a grant. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'two polls, an approval and a denial',
    stage: { upTo: 'started' },
    callers: { first: device(), second: device(), alice: approve, mallory: deny('person') },
    faults: 0,
  },
  {
    name: 'a poll, an approval, and a refusal of the upstream, with a fault',
    stage: { upTo: 'started' },
    callers: { first: device(), alice: approve, corp: deny('upstream') },
    faults: 1,
  },
  {
    name: 'two polls of an approved code, with a fault',
    stage: { upTo: 'approved' },
    callers: { first: device(), second: device() },
    faults: 1,
  },
  {
    name: 'two polls, and an end',
    stage: { upTo: 'approved' },
    callers: { first: device(), second: device(), owner: end },
    faults: 0,
  },
  {
    name: 'a poll, an end and the kill switch, with a fault',
    stage: { upTo: 'approved' },
    callers: { first: device(), owner: end, administrator: kill },
    faults: 1,
  },
  {
    name: 'two polls and an approval while the code expires',
    stage: { upTo: 'started' },
    callers: { first: device(), second: device(), alice: approve, time: clock(10 * MINUTE) },
    faults: 0,
  },
  {
    name: 'a poll, and another client with the same code',
    stage: { upTo: 'approved' },
    callers: { first: device(), thief: stranger, alice: approve },
    faults: 1,
  },
  {
    name: 'two polls with other wishes where answers are given again',
    stage: { upTo: 'approved', client: { redeliverySeconds: 30 } },
    callers: { first: device({ resources: [A] }), second: device({ resources: [B] }) },
    faults: 1,
  },
  {
    name: 'four codes for three tries',
    stage: { upTo: 'approved', approval: { confirmationCode: '4711' } },
    callers: {
      ...{ first: device({ reverseCode: '0001' }), second: device({ reverseCode: '0002' }) },
      ...{ third: device({ reverseCode: '0003' }), right: device({ reverseCode: '4711' }) },
    },
    faults: 0,
  },
  {
    name: 'two refreshes with one token, with a fault',
    stage: { upTo: 'redeemed' },
    callers: { first: session(1), second: session(1) },
    faults: 1,
    isLossless: true,
  },
  {
    name: 'two refreshes with other wishes',
    stage: { upTo: 'redeemed' },
    callers: { first: session(1, { resources: [A] }), second: session(1, { resources: [B] }) },
    faults: 0,
    isLossless: true,
  },
  {
    name: 'a refresh, an end and the kill switch, with a fault',
    stage: { upTo: 'redeemed' },
    callers: { first: session(1), owner: endAndTake, administrator: kill },
    faults: 1,
  },
  {
    name: 'a refresh and an end in one step, with a fault',
    stage: { upTo: 'redeemed' },
    callers: { first: session(1), owner: end },
    faults: 1,
  },
  {
    name: 'two refreshes with one token, where the upstream is asked',
    stage: ASKED,
    callers: { first: session(1), second: session(1) },
    faults: 0,
    isLossless: true,
  },
  {
    name: 'two refreshes with one token, where the upstream is asked, with a fault',
    stage: ASKED,
    callers: { first: session(1), second: session(1) },
    faults: 1,
  },
  {
    name: 'two refreshes with one token, one of which asks the upstream',
    stage: ASKED,
    callers: { first: session(2), second: session(1, { recheckSeconds: 60 }) },
    faults: 0,
  },
  {
    name: 'three refreshes in a row, each with a lost answer or two',
    stage: { upTo: 'redeemed' },
    callers: { device: session(3, { tries: 3 }) },
    faults: 2,
    isLossless: true,
  },
  {
    name: 'a device that goes on, and a thief with its first token',
    stage: { upTo: 'redeemed' },
    callers: { device: session(2), thief: session(2) },
    faults: 0,
  },
  {
    name: 'polls beside somebody who writes to the storage',
    stage: { upTo: 'started' },
    callers: {
      ...{ first: device(), alice: approve },
      'another key': forger(async ({ domain, grant, approval }) => {
        const sealing = domain.createSealing([new domain.Secret(randomBytes(32).toString('base64url'))]);
        const inner = sealApproval(approval, grant);
        return sealDecision('forged', grant, { decision: 'approved', inner, browser: 'mallory' }, sealing);
      }),
      'another grant': forger(async ({ grant, approval, sealing }) => {
        const other = { ...grant, id: 'another-grant' };
        const inner = sealApproval(approval, grant);
        return sealDecision('forged', other, { decision: 'approved', inner, browser: 'mallory' }, sealing);
      }),
    },
    faults: 0,
    hasForger: true,
  },
  {
    name: 'a poll whose commands are sent twice',
    stage: { upTo: 'approved' },
    callers: { device: device() },
    faults: 4,
    kinds: ['ok', 'twice'],
    isLossless: true,
  },
  {
    name: 'a poll whose answers are lost, where they are given again',
    stage: { upTo: 'approved', client: { redeliverySeconds: 30 } },
    callers: { device: device({}, 3) },
    faults: 2,
    kinds: ['ok', 'twice', 'unheard', 'unsent'],
    isLossless: true,
  },
];
