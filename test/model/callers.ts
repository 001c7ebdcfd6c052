import type { DecisionOutcome } from '../../src/grants/decide/decide-grant.ts';
import type { Poll } from '../../src/grants/redeem/poll.ts';
import { decisionEntry } from '../../src/ledger/entry-keys.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { RandomBytes, Secret } from '../../src/sealing/secret.ts';
import type { Scheduler } from './scheduler.ts';
import { plainPoll, redeemDepsOf, type Stage } from './stage.ts';

/** What a caller knows at its end; `outcome` in the words of the domain. */
export interface Told {
  act: 'poll' | 'stranger' | 'approve' | 'deny' | 'end' | 'refresh' | 'other';
  outcome: string;
  answer?: Readonly<Record<string, unknown>>;
  /** What it asked for. */
  resources?: readonly string[];
  digits?: string | undefined;
}

export interface Scene extends Stage {
  name: string;
  at: Ledger;
  random: RandomBytes;
  scheduler: Scheduler;
  upstream: ModelUpstream;
  /** Something in the storage does not open. */
  onForgery: (what: string) => void;
}

export type Caller = (scene: Scene) => Promise<Told>;

/** An upstream that gives a new refresh token for each, and takes none twice. */
export interface ModelUpstream {
  newest: number;
  askedTwice: boolean;
}

const MINUTE = 60 * 1000;

/** A device; it comes again where the storage did not answer, as RFC 8628 §3.5 has it for a lost connection. */
export function device(wish: Partial<Pick<Poll, 'resources' | 'reverseCode'>> = {}, tries = 2): Caller {
  return async (scene) => {
    const { domain } = scene;
    const deps = grantDeps(scene);
    const outcome = await retried(scene, tries, () => domain.pollGrant(deps, { ...plainPoll(scene), ...wish }));
    const told = { act: 'poll', resources: wish.resources ?? [], digits: wish.reverseCode } as const;
    if (outcome === undefined) return { ...told, outcome: 'unavailable' };
    return { ...told, outcome: outcome.outcome, ...('answer' in outcome && { answer: outcome.answer }) };
  };
}

/** Somebody who has the device code and is another client. */
export const stranger: Caller = async (scene) => {
  const deps = grantDeps(scene);
  const poll = { ...plainPoll(scene), client: { ...scene.client, id: 'somebody-else' } };
  const outcome = await retried(scene, 1, () => scene.domain.pollGrant(deps, poll));
  return { act: 'stranger', outcome: outcome?.outcome ?? 'unavailable' };
};

export const approve: Caller = async (scene) => {
  const { domain, grant, approval, name } = scene;
  const decided = await retried(scene, 1, () => domain.approveGrant(grantDeps(scene), grant, approval, name));
  return { act: 'approve', outcome: decision(decided) };
};

export function deny(by: 'person' | 'upstream'): Caller {
  return async (scene) => {
    const { domain, grant, name } = scene;
    const decided = await retried(scene, 1, () => domain.denyGrant(grantDeps(scene), grant, by, name));
    return { act: 'deny', outcome: decision(decided) };
  };
}

export const end = ending('endGrant');
/** As one who brings a refresh token, and opens what was carried: in two steps. */
export const endAndTake = ending('endGrantAndTake');

function ending(verb: 'endGrant' | 'endGrantAndTake'): Caller {
  return async (scene) => {
    const { domain, grant } = scene;
    const untilMs = grant.keptUntilMs + 24 * 60 * MINUTE;
    const ended = await retried(scene, 1, () => domain[verb](grantDeps(scene), grant.id, 'my_devices', untilMs));
    return { act: 'end', outcome: ended === undefined ? 'unavailable' : 'ended' };
  };
}

/** The administrator's kill switch for this person. */
export const kill: Caller = async (scene) => {
  const { domain, approval, at, sealing } = scene;
  const mark = { mark: 'subject', upstream: approval.upstream, subject: approval.subject } as const;
  const atMs = approval.signedInAtMs + 1;
  const set = () => domain.setMark({ ledger: at, sealing }, mark, atMs, atMs + 24 * 60 * MINUTE).then(() => true);
  return { act: 'end', outcome: (await retried(scene, 1, set)) === true ? 'ended' : 'unavailable' };
};

export function clock(milliseconds: number): Caller {
  return async ({ name, scheduler }) => {
    await scheduler.call(name, 'time', [milliseconds], async () => scheduler.ledger.advance(milliseconds));
    return { act: 'other', outcome: 'passed' };
  };
}

/** Somebody who can write to the storage and has no sealing key: another grant's approval, and one of their own making. */
export function forger(value: (stage: Stage) => Promise<string>): Caller {
  return async (scene) => {
    const { grant, at } = scene;
    const write = { key: decisionEntry(grant.id), value: await value(scene), expiresAtMs: grant.keptUntilMs };
    await retried(scene, 1, () => at.commit({ attempt: 'forged', writes: [write] }));
    return { act: 'other', outcome: 'written' };
  };
}

/** Refreshes `turns` times in a row, each time with the token that it was given last. */
export function session(
  turns: number,
  { tries = 2, resources = [] as readonly string[], recheckSeconds = 0 } = {},
): Caller {
  return async (scene) => {
    const { client, domain } = scene;
    let refreshToken = scene.refreshToken as Secret;
    let told: Told = { act: 'refresh', outcome: 'none', resources };
    for (let turn = 0; turn < turns; turn += 1) {
      const request = {
        ...{ client, refreshToken, scopes: undefined, resources, jkt: '', issuer: undefined },
        ...{ spendProof: async () => {}, source: '192.0.2.1' },
      };
      const outcome = await retried(scene, tries, () =>
        domain.refreshSession(refreshDeps(scene, recheckSeconds), request),
      );
      told = { act: 'refresh', outcome: outcome?.outcome ?? 'unavailable', resources };
      if (outcome?.outcome !== 'tokens') return told;
      told.answer = outcome.answer;
      refreshToken = new domain.Secret(String(outcome.answer['refresh_token']));
    }
    return told;
  };
}

function refreshDeps(scene: Scene, recheckSeconds: number): Parameters<Stage['domain']['refreshSession']>[0] {
  const { at: ledger, sealing, random: randomBytes, scheduler, name, upstream } = scene;
  const pause = () => scheduler.call(name, 'pause', [], async () => undefined);
  const ask = async (token: string) => {
    if (token !== `u${upstream.newest}`) upstream.askedTwice = true;
    upstream.newest += 1;
    return `u${upstream.newest}`;
  };
  return {
    ...{ ledger, sealing, randomBytes, isSameNetwork: () => true, onEnded: () => {}, onShared: () => {}, sleep: pause },
    issueTokens: async ({ scopes, resources, jti, refreshToken }) => ({
      answer: { jti, scope: scopes.join(' '), resource: resources.join(' '), refresh_token: refreshToken.reveal() },
    }),
    upstreams: {
      async refresh(_upstream, _client, token) {
        const text = token.reveal();
        const refreshToken = await scheduler.call(name, 'upstream', [text], () => ask(text));
        return {
          outcome: 'stands',
          tokens: { tokenType: 'Bearer', refreshToken, members: {} },
          isPartial: true,
          answeredAtMs: scheduler.ledger.nowMs,
        };
      },
      revoke: async () => {},
      toleranceSeconds: () => 24 * 60 * 60,
      uncheckedSessionSeconds: () => 24 * 60 * 60,
      recheckSeconds: () => recheckSeconds,
    },
  };
}

function grantDeps({ domain, sealing, at, random, onForgery }: Scene) {
  return redeemDepsOf(domain, sealing, at, random, onForgery);
}

function decision(decided: DecisionOutcome | undefined): string {
  if (decided === undefined) return 'unavailable';
  return decided.outcome === 'already' ? `already ${decided.decision}` : decided.outcome;
}

/** `undefined` where the storage did not answer at any try, a key was away, or somebody wrote what does not open. */
async function retried<T>({ domain, onForgery }: Scene, tries: number, act: () => Promise<T>): Promise<T | undefined> {
  for (let n = 0; n < tries; n += 1) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof domain.SealingKeyMissingError || error instanceof domain.SealBrokenError) {
        onForgery(error.message);
        return undefined;
      }
      if (!(error instanceof domain.StorageUnavailableError)) throw error;
    }
  }
  return undefined;
}
