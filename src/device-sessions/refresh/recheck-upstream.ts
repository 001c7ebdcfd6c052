import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { ApprovedFacts } from '../../grants/decide/approved-facts.ts';
import { isUndecided, judgeApprover } from '../../grants/decide/policy.ts';
import type { Approval, ApprovedUpstreamTokens } from '../../ledger/approval.ts';
import { Secret } from '../../sealing/secret.ts';
import type { SessionSecrets } from './refresh-state.ts';

/** The port to upstreams, as far as a refresh needs it. */
export interface RecheckUpstream {
  /**
   * Spends an upstream refresh token.
   *
   * @param askedAtMs by the storage's clock, where that cannot be read after the answer
   */
  refresh(
    upstream: string,
    client: RegisteredClient,
    refreshToken: Secret,
    approval: Pick<Approval, 'subject' | 'scopes'>,
    askedAtMs: number,
  ): Promise<UpstreamAnswer>;
  /** Revokes a token there, as far as that upstream can; never fails. */
  revoke(upstream: string, refreshToken: Secret): Promise<void>;
  /** How long minted sessions refresh while the upstream is away. */
  toleranceSeconds(upstream: string): number;
  /** How long a session lives whose upstream gave no refresh token. */
  uncheckedSessionSeconds(upstream: string): number;
  /** How long an answer of the upstream is good for minted sessions; 0 asks at each refresh. */
  recheckSeconds(upstream: string): number;
}

export type UpstreamAnswer =
  | {
      outcome: 'stands';
      tokens: ApprovedUpstreamTokens;
      /** What it says of the person now; `undefined` where it says nothing of them at a refresh. */
      facts?: ApprovedFacts | undefined;
      /** Something that was asked for besides did not come: of what is missing in the facts nobody knows. */
      isPartial: boolean;
      /** By the storage's clock, and when it was asked where that does not answer. */
      answeredAtMs: number;
    }
  /** The account or its session there has ended. */
  | { outcome: 'gone' }
  /** Nothing that counts came: unreachable, broken, or refused without a reason. */
  | {
      outcome: 'away';
      /** It refused the token and did not say why. */
      isRefused: boolean;
      /** Its next refresh token, which came although the rest of the answer is no good. */
      refreshToken?: string | undefined;
    };

export type Asked =
  | {
      outcome: 'stands';
      carried: SessionSecrets;
      /** By the storage's clock; `undefined` where the upstream gave no answer that counts. */
      answeredAtMs?: number | undefined;
    }
  | { outcome: 'gone' }
  /** There is nothing to hand out; `keep` is what must not be lost all the same. */
  | { outcome: 'unavailable'; keep?: SessionSecrets };

/**
 * Whether the upstream is asked at this refresh: there is a token to ask with, and its last answer is too old, or does not
 * satisfy today's policy. What was said before refuses nobody whom the upstream was not asked about again (I6).
 */
export function isUpstreamAsked(
  upstreams: Pick<RecheckUpstream, 'recheckSeconds'>,
  client: RegisteredClient,
  { approval, upstreamAnsweredAtMs }: SessionSecrets,
  nowMs: number,
): boolean {
  if (approval.upstreamTokens?.refreshToken === undefined) return false;
  const sinceMs = nowMs - upstreamAnsweredAtMs;
  const isRecent = sinceMs >= 0 && sinceMs < upstreams.recheckSeconds(approval.upstream) * 1000;
  return client.tokens === 'relay' || !isRecent || judgeApprover(client, approval).verdict !== 'allowed';
}

/**
 * The upstream at a refresh: whether the account still stands, and what is new.
 *
 * @param isAsked as `isUpstreamAsked` judged it of the same answer and moment
 */
export async function recheckUpstream(
  upstreams: RecheckUpstream,
  client: RegisteredClient,
  carried: SessionSecrets,
  nowMs: number,
  isAsked: boolean,
): Promise<Asked> {
  const { approval, upstreamAnsweredAtMs } = carried;
  const { upstream, upstreamTokens: before } = approval;
  if (before?.refreshToken === undefined) return unasked(upstreams, client, carried, nowMs);
  if (!isAsked) return { outcome: 'stands', carried };

  const isTolerated = nowMs - upstreamAnsweredAtMs <= upstreams.toleranceSeconds(upstream) * 1000;
  const answer = await upstreams.refresh(upstream, client, new Secret(before.refreshToken), approval, nowMs);
  switch (answer.outcome) {
    case 'gone':
      return answer;
    case 'away': {
      // A token that is refused for longer than an upstream may be away will not be taken again: the device must know.
      if (answer.isRefused && !isTolerated) return { outcome: 'gone' };
      if (answer.refreshToken === undefined) {
        return client.tokens === 'mint' && isTolerated ? { outcome: 'stands', carried } : { outcome: 'unavailable' };
      }
      const upstreamTokens = { ...before, refreshToken: answer.refreshToken };
      if (client.tokens === 'relay') {
        return { outcome: 'unavailable', keep: { ...carried, approval: { ...approval, upstreamTokens } } };
      }
      return stands(partly(approval, undefined, isTolerated), upstreamTokens, upstreamAnsweredAtMs);
    }
    case 'stands': {
      const { facts, isPartial, tokens, answeredAtMs } = answer;
      // Another person's answer to our token would be an upstream gone wrong; nothing of it is believed.
      if (facts !== undefined && facts.subject !== approval.subject) return { outcome: 'gone' };
      const next = tokens.refreshToken ?? before.refreshToken;
      const bare = client.tokens === 'mint' ? { accessToken: undefined, idToken: undefined } : {};
      const upstreamTokens = { ...tokens, ...bare, refreshToken: next };
      // What an upstream leaves out of a full answer is not so any more.
      // The account is what the person was shown; at a refresh its name is not asked for.
      if (!isPartial) {
        const told = { ...approval, ...facts, account: approval.account };
        return { ...stands(told, upstreamTokens, nowMs), answeredAtMs };
      }
      const renewed = partly(approval, facts, isTolerated);
      // Nothing is lost by waiting for what the policy needs, as long as the token that was is still the one to ask with.
      const isLossless = next === before.refreshToken && client.tokens === 'mint';
      if (isLossless && isUndecided(judgeApprover(client, renewed))) return { outcome: 'unavailable' };
      return { ...stands(renewed, upstreamTokens, upstreamAnsweredAtMs), answeredAtMs };
    }
  }
}

/** Nobody can be asked: a relayed session cannot go on, a minted one does for a while that its configuration bounds. */
function unasked(upstreams: RecheckUpstream, client: RegisteredClient, carried: SessionSecrets, nowMs: number): Asked {
  const { upstream, signedInAtMs } = carried.approval;
  const isOver = nowMs >= signedInAtMs + upstreams.uncheckedSessionSeconds(upstream) * 1000;
  return client.tokens === 'relay' || isOver ? { outcome: 'gone' } : { outcome: 'stands', carried };
}

/** What is known now: what was said, and of the rest what was said before, while that may still count. */
function partly(approval: Approval, said: ApprovedFacts | undefined, isTolerated: boolean): Approval {
  const before: Partial<Approval> = isTolerated ? approval : {};
  return {
    ...approval,
    claims: { ...before.claims, ...said?.claims },
    groups: said?.groups ?? before.groups,
    carriedGroups: said?.groups === undefined ? before.carriedGroups : said.carriedGroups,
    judged: { ...before.judged, ...said?.judged },
  };
}

function stands(approval: Approval, upstreamTokens: ApprovedUpstreamTokens, upstreamAnsweredAtMs: number) {
  return { outcome: 'stands' as const, carried: { approval: { ...approval, upstreamTokens }, upstreamAnsweredAtMs } };
}
