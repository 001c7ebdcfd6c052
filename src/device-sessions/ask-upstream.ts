import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval, ApprovedUpstreamTokens } from '../grants/approval.ts';
import { Secret } from '../sealing/secret.ts';
import type { Carried } from './refresh-state.ts';

/** The port to upstreams, as far as a refresh needs it. */
export interface AskUpstream {
  /** Spends an upstream refresh token. */
  refresh(
    upstream: string,
    client: RegisteredClient,
    refreshToken: Secret,
    approval: Pick<Approval, 'subject' | 'scopes'>,
  ): Promise<UpstreamAnswer>;
  /** Revokes a token there, as far as that upstream can; never fails. */
  revoke(upstream: string, refreshToken: Secret): Promise<void>;
  /** How long minted sessions refresh while the upstream is away. */
  toleranceSeconds(upstream: string): number;
}

export type UpstreamAnswer =
  | {
      outcome: 'stands';
      tokens: ApprovedUpstreamTokens;
      /** Renewed facts, where the upstream sent any. */
      facts?: Pick<Approval, 'subject' | 'claims' | 'groups'> & Partial<Pick<Approval, 'account'>>;
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

/** The upstream at a refresh: whether the account still stands, and what is new. */
export async function askUpstream(
  upstreams: AskUpstream,
  client: RegisteredClient,
  carried: Carried,
  nowMs: number,
): Promise<{ outcome: 'stands'; carried: Carried } | { outcome: 'gone' } | { outcome: 'unavailable' }> {
  const { approval } = carried;
  const refreshToken = approval.upstreamTokens?.refreshToken;
  // Without a refresh token there is nothing to ask with: a relayed session cannot go on, a minted one does.
  if (refreshToken === undefined)
    return client.tokens === 'relay' ? { outcome: 'gone' } : { outcome: 'stands', carried };

  const answer = await upstreams.refresh(approval.upstream, client, new Secret(refreshToken), approval);
  switch (answer.outcome) {
    case 'gone':
      return answer;
    case 'away': {
      const isTolerated = nowMs - carried.upstreamAnsweredAtMs <= upstreams.toleranceSeconds(approval.upstream) * 1000;
      // A token that is refused for longer than an upstream may be away will not be taken again: the device must know.
      if (answer.isRefused && !isTolerated) return { outcome: 'gone' };
      const kept = withRefreshToken(carried, answer.refreshToken);
      return client.tokens === 'mint' && isTolerated
        ? { outcome: 'stands', carried: kept }
        : { outcome: 'unavailable' };
    }
    case 'stands': {
      // Another person's answer to our token would be an upstream gone wrong; nothing of it is believed.
      if (answer.facts !== undefined && answer.facts.subject !== approval.subject) return { outcome: 'gone' };
      const tokens = { ...answer.tokens, refreshToken: answer.tokens.refreshToken ?? refreshToken };
      // An upstream that leaves its groups out of a refresh has not taken anybody out of them.
      const facts = { ...answer.facts, groups: answer.facts?.groups ?? approval.groups };
      const kept = client.tokens === 'relay' ? tokens : { ...tokens, accessToken: undefined, idToken: undefined };
      return {
        outcome: 'stands',
        carried: { approval: { ...approval, ...facts, upstreamTokens: kept }, upstreamAnsweredAtMs: nowMs },
      };
    }
  }
}

/** An upstream that rotates takes the old token no more, whatever else it said. */
function withRefreshToken(carried: Carried, refreshToken: string | undefined): Carried {
  const { approval } = carried;
  if (refreshToken === undefined || approval.upstreamTokens === undefined) return carried;
  return { ...carried, approval: { ...approval, upstreamTokens: { ...approval.upstreamTokens, refreshToken } } };
}
