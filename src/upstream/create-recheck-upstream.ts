import type { RecheckUpstream, UpstreamAnswer } from '../device-sessions/refresh/recheck-upstream.ts';
import { approvedFacts } from '../grants/decide/approved-facts.ts';
import { neededClaims } from '../grants/decide/client-claims.ts';
import type { ApprovedUpstreamTokens } from '../ledger/approval.ts';
import { StorageUnavailableError } from '../ledger/ledger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { OtherSubjectError, type Upstream, UpstreamError, type UpstreamTokens } from './upstream.ts';

/** Device sessions' way to the upstreams: their port over ours, with faults turned into what a refresh does about them. */
export function createRecheckUpstream(deps: {
  upstreams: ReadonlyMap<string, Upstream>;
  toleranceSeconds: (upstream: string) => number;
  uncheckedSessionSeconds: (upstream: string) => number;
  recheckSeconds: (upstream: string) => number;
  now: () => Promise<number>;
  logger: Logger;
}): RecheckUpstream {
  const { upstreams, logger } = deps;
  return {
    toleranceSeconds: deps.toleranceSeconds,
    uncheckedSessionSeconds: deps.uncheckedSessionSeconds,
    recheckSeconds: deps.recheckSeconds,

    async refresh(id, client, refreshToken, { subject, scopes }, askedAtMs): Promise<UpstreamAnswer> {
      const upstream = upstreams.get(id);
      if (upstream === undefined) return { outcome: 'gone' };
      try {
        const refreshed = await upstream.refresh(refreshToken, {
          subject,
          neededClaims: { ...neededClaims(client, scopes), isRefresh: true },
        });
        // It has spent the token, so its answer must not be lost; from when it was asked, what ends does so a little early.
        const answeredAtMs = await deps.now().catch(unlessAway(askedAtMs));
        const tokens = keptTokens(refreshed.tokens, answeredAtMs);
        const { signIn, isPartial } = refreshed;
        const facts = signIn === undefined ? undefined : approvedFacts(client, signIn, scopes);
        return { outcome: 'stands', tokens, facts, isPartial, answeredAtMs };
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        if (error.fault === 'invalid_grant') return { outcome: 'gone' };
        const event = error.fault === 'client_rejected' ? 'upstream.rejected' : 'upstream.unavailable';
        logger.event(event, { upstream: id, fault: error.fault, detail: error.detail, error });
        if (error instanceof OtherSubjectError) return { outcome: 'gone' };
        const isRefused = error.fault === 'refresh_refused';
        return { outcome: 'away', isRefused, refreshToken: error.refreshToken?.reveal() };
      }
    },

    async revoke(id, refreshToken) {
      try {
        await upstreams.get(id)?.revoke(refreshToken, 'refresh_token');
      } catch (error) {
        // It is sealed away for good all the same, and lapses there by itself.
        if (!(error instanceof UpstreamError)) throw error;
        logger.event('upstream.unavailable', { upstream: id, fault: error.fault, detail: error.detail, error });
      }
    },
  };
}

function unlessAway(momentMs: number) {
  return (error: unknown): number => {
    if (error instanceof StorageUnavailableError) return momentMs;
    throw error;
  };
}

/** An upstream's token answer as an approval keeps it, with the absolute end instead of a life that runs from now. */
export function keptTokens(tokens: UpstreamTokens, nowMs: number): ApprovedUpstreamTokens {
  return {
    accessToken: tokens.accessToken.reveal(),
    tokenType: tokens.tokenType,
    expiresAtMs: tokens.expiresInSeconds === undefined ? undefined : nowMs + tokens.expiresInSeconds * 1000,
    scopes: tokens.scopes,
    idToken: tokens.idToken?.reveal(),
    refreshToken: tokens.refreshToken?.reveal(),
    members: tokens.members,
  };
}
