import { confirmationEntry, decisionEntry, endedEntry, refreshEntry, spentEntry } from '../../src/ledger/entry-keys.ts';
import type { ModelUpstream, Told } from './callers.ts';
import { short } from './model-ledger.ts';
import type { Stage } from './stage.ts';

/** Everything that can be known of a run after some of its steps. */
export interface World {
  stage: Stage;
  upstream: ModelUpstream;
  told: ReadonlyMap<string, Told>;
  doneBefore: ReadonlyMap<string, ReadonlySet<string>>;
  /** Entries that are written once, as they were first seen. */
  seen: Map<string, string>;
  /** A caller failed with something else than a storage that is away. */
  crashed: string | undefined;
  /** Nothing can happen any more, and every caller has been told how it ended. */
  isOver: boolean;
  /** Nothing in the scenario takes the tokens away. */
  isLossless: boolean;
  /** What did not open, and whether there is somebody who wrote it. */
  forged: readonly string[];
  hasForger: boolean;
}

type Rule = (world: World) => string | undefined;

const FINAL = ['access_denied', 'expired_token', 'invalid_grant', 'unavailable'];

const RULES: readonly Rule[] = [
  ({ crashed }) => crashed && `I10: ${crashed}`,

  ({ stage: { ledger, grant }, seen }) => {
    for (const key of [decisionEntry(grant.id), spentEntry(grant.id), endedEntry(grant.id)]) {
      const value = ledger.at(key);
      const before = seen.get(key);
      if (before !== undefined && value !== before) return `I3: ${key} was ${short(before)} and is ${short(value)}`;
      if (value !== undefined) seen.set(key, value);
    }
    return undefined;
  },

  ({ stage: { ledger, grant }, seen }) => {
    const ended = seen.get(endedEntry(grant.id));
    const spent = seen.get(spentEntry(grant.id));
    if (ended === undefined) {
      const refresh = ledger.at(refreshEntry(grant.id));
      seen.set(refreshEntry(grant.id), refresh ?? '');
      if (spent !== undefined) seen.set('spent before it ended', spent);
      return undefined;
    }
    if (spent !== undefined && !seen.has('spent before it ended')) return 'I3: redeemed after it had ended';
    const [before, now] = [seen.get(refreshEntry(grant.id)), ledger.at(refreshEntry(grant.id))];
    return now !== undefined && now !== before ? 'I3: refreshed after it had ended' : undefined;
  },

  ({ forged, hasForger }) => (hasForger ? undefined : forged[0] && `I12: nobody forged it, and yet: ${forged[0]}`),

  ({ stage: { client }, told }) => {
    const answers = answered(told, 'poll');
    if (client.redeliverySeconds === 0 && answers.length > 1) return 'I1: one code became two token answers';
    const chains = new Set(answers.map(({ answer }) => answer?.['refresh_token']));
    return chains.size > 1 ? 'I1: one code began two chains of refresh tokens' : undefined;
  },

  ({ told }) => {
    const successors = answered(told, 'refresh').map(({ answer }) => String(answer?.['refresh_token']));
    const byNumber = new Map(successors.map((token) => [numberOf(token), token]));
    const fork = successors.find((token) => byNumber.get(numberOf(token)) !== token);
    return fork && `I1: two refresh tokens have the number ${numberOf(fork)}`;
  },

  ({ stage: { ledger, grant }, told }) => {
    const decision = ledger.at(decisionEntry(grant.id));
    const isApproved = decision !== undefined && short(decision) !== 'forged';
    return answered(told, 'poll').length > 0 && !isApproved ? 'I2, I12: tokens without an approval of ours' : undefined;
  },

  ({ told }) => {
    const decided = [...told.values()].filter(({ outcome }) => outcome === 'decided');
    if (decided.length > 1) return 'I3: two decisions stand';
    const isDenied = decided.some(({ act }) => act === 'deny');
    return isDenied && answered(told, 'poll').length > 0 ? 'I3: tokens after a denial that stands' : undefined;
  },

  ({ told, doneBefore }) => {
    for (const [earlier, later] of pairs(told, doneBefore, 'poll')) {
      const isFinal = earlier.outcome === 'access_denied' || earlier.outcome === 'expired_token';
      if (isFinal && !FINAL.includes(later.outcome)) return `I3: ${later.outcome} after ${earlier.outcome}`;
      if (earlier.outcome === 'tokens' && later.outcome.match(/pending|slow/)) return 'I3: pending after the tokens';
    }
    return undefined;
  },

  ({ told }) => {
    const stranger = [...told.values()].find(({ act }) => act === 'stranger');
    if (stranger === undefined || ['invalid_grant', 'unavailable'].includes(stranger.outcome)) return undefined;
    return `I4: another client was told ${stranger.outcome}`;
  },

  ({ told, stage: { approval } }) => {
    const given = [...answered(told, 'poll'), ...answered(told, 'refresh')];
    const wide = given.find(({ resources = [], answer }) => {
      const wish = resources.length === 0 ? approval.resources : resources;
      return String(answer?.['resource']) !== wish.join(' ');
    });
    return wide && `I5: who asked for ${wide.resources?.join(' ') || 'all'} got ${String(wide.answer?.['resource'])}`;
  },

  ({ told, doneBefore }) => {
    for (const act of ['poll', 'refresh'] as const) {
      const late = pairs(told, doneBefore, act, 'end').find(
        ([ended, later]) => ended.outcome === 'ended' && later.outcome === 'tokens',
      );
      if (late !== undefined) return `I6: a ${act} that began after the end got tokens`;
    }
    return undefined;
  },

  ({ stage: { ledger, grant, sealing, approval }, told }) => {
    if (approval.confirmationCode === undefined || answered(told, 'poll').length === 0) return undefined;
    const tag = sealing.tag('confirmation code', `${grant.id} ${approval.confirmationCode}`);
    const places = [1, 2, 3].map((place) => ledger.at(confirmationEntry(grant.id, place))?.split('|')[1]);
    return places.includes(tag) ? undefined : 'the right digits count only in one of three places';
  },

  ({ upstream }) => (upstream.askedTwice ? 'the upstream was asked twice with one refresh token' : undefined),

  ({ isLossless, isOver, told }) => {
    if (!isLossless || !isOver) return undefined;
    const devices = [...told].filter(([, { act }]) => act === 'poll' || act === 'refresh');
    const lost = devices.find(([, { outcome }]) => outcome !== 'tokens');
    return lost && `${lost[0]} got no tokens for a lost answer: ${lost[1].outcome}`;
  },
];

export function violationIn(world: World): string | undefined {
  for (const rule of RULES) {
    const found = rule(world);
    if (found !== undefined) return found;
  }
  return undefined;
}

function answered(told: World['told'], act: Told['act']): Told[] {
  return [...told.values()].filter((each) => each.act === act && each.outcome === 'tokens');
}

/** Of two callers the one that was done before the other began, and that other one. */
function pairs(
  told: World['told'],
  doneBefore: World['doneBefore'],
  later: Told['act'],
  earlier: Told['act'] = later,
): [Told, Told][] {
  return [...told].flatMap(([name, each]) => {
    if (each.act !== later) return [];
    const before = [...(doneBefore.get(name) ?? [])].flatMap((other) => told.get(other) ?? []);
    return before.filter(({ act }) => act === earlier).map((other): [Told, Told] => [other, each]);
  });
}

const ID_BYTES = 16;

function numberOf(refreshToken: string): number {
  return Buffer.from(refreshToken, 'base64url').readUInt32BE(ID_BYTES);
}
