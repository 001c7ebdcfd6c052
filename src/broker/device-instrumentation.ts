import type { RegisteredClient } from '../clients/registered-client.ts';
import type { DeviceSession } from '../device-sessions/device-session.ts';
import type { RefreshOutcome, RefreshRequest } from '../device-sessions/refresh/refresh-request.ts';
import type { DeviceRequest, Endpoint } from '../endpoints/http/endpoint.ts';
import { asOAuthError } from '../endpoints/http/oauth-reply.ts';
import type { Asker, PollOutcome } from '../grants/redeem/poll.ts';
import type { RefusedBecause, UnconfirmedBecause } from '../grants/redeem/redeem-deps.ts';
import type { Approval } from '../ledger/approval.ts';
import type { EndReason } from '../ledger/ended.ts';
import type { Grant } from '../ledger/grant.ts';
import { grantTypeOf } from '../oauth/grant-types.ts';
import type { OAuthErrorCode } from '../oauth/oauth-error.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { codeTag, type Logger, logTag } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LogoutToken } from '../upstream/upstream.ts';

function fieldsOf({ id, clientId: client, upstream, subject }: DeviceSession) {
  // The session has its grant's id: whoever follows a sign-in by the grant's tag finds what became of it.
  return { grant: logTag(id), session: logTag(id), client, upstream, subject };
}

function countedAs(outcome: RefreshOutcome): 'tokens' | 'answered_again' | 'lost' | OAuthErrorCode {
  if (outcome.outcome === 'tokens') return outcome.isAgain ? 'answered_again' : 'tokens';
  return outcome.outcome === 'unavailable' ? 'temporarily_unavailable' : outcome.outcome;
}

/** What happens at the device door, as log lines and counters. */
export function watchDevices({ logger, metrics, sealing }: { logger: Logger; metrics: Metrics; sealing: Sealing }) {
  type Count = (client: string | undefined, outcome: OAuthErrorCode) => void;

  /** Counts what an endpoint refuses; what it answers is counted where its outcome is known. */
  const refusals = (endpoint: Endpoint, count: Count): Endpoint => {
    return (request) =>
      endpoint(request).catch((error: unknown) => {
        count(request.clientId, asOAuthError(error).code);
        throw error;
      });
  };

  return {
    starts: (endpoint: Endpoint) =>
      refusals(endpoint, (client, outcome) => metrics.authorizationAnswered(client, outcome)),
    /** Polls and refreshes come to one address. */
    tokenRefused: ({ clientId, form }: DeviceRequest, error: unknown) => {
      const outcome = asOAuthError(error).code;
      if (grantTypeOf(form.get('grant_type') ?? '') === 'refresh_token') metrics.refreshAnswered(clientId, outcome);
      else metrics.pollAnswered(clientId, outcome);
    },

    started: (started: {
      requestId: string;
      grantId: string;
      client: RegisteredClient;
      userCode: string;
      source: string;
      scopes: readonly string[];
    }) => {
      const { requestId, grantId, client, userCode, source, scopes } = started;
      metrics.authorizationAnswered(client.id, 'started');
      logger.event('grant.started', {
        requestId,
        grant: logTag(grantId),
        client: client.id,
        code: codeTag(sealing, userCode),
        source,
        scopes,
      });
    },

    polled: (request: DeviceRequest, client: RegisteredClient, outcome: PollOutcome) => {
      metrics.pollAnswered(client.id, outcome.outcome);
      const { requestId } = request;
      if (outcome.outcome === 'tokens' && !outcome.redelivered) {
        const grant = logTag(outcome.grantId);
        const { person, answer, confirmedBy: confirmation } = outcome;
        const fields = { requestId, grant, session: grant, client: client.id, ...person, source: request.source() };
        metrics.sessionBegun(client.id);
        if (confirmation !== undefined) metrics.confirmationAnswered(client.id, confirmation);
        logger.event('grant.redeemed', { ...fields, scopes: answer['scope'], confirmation });
      } else if (logger.writes('grant.polled')) {
        logger.event('grant.polled', { requestId, client: client.id, outcome: outcome.outcome });
      }
    },

    refreshed: (request: DeviceRequest, client: RegisteredClient, outcome: RefreshOutcome) => {
      metrics.refreshAnswered(client.id, countedAs(outcome));
      if (outcome.outcome !== 'tokens') return;
      const { session, answer, isAgain, firstSource } = outcome;
      logger.event('session.refreshed', {
        requestId: request.requestId,
        ...fieldsOf(session),
        scopes: answer['scope'],
        source: request.source(),
        outcome: isAgain ? 'answered_again' : 'exchanged',
        ...(firstSource !== undefined && { firstSource }),
      });
    },

    ended: (session: DeviceSession, reason: EndReason, { requestId, source }: RefreshRequest) => {
      metrics.sessionEnded(session.clientId, reason);
      logger.event('session.ended', { requestId, ...fieldsOf(session), by: reason, reason, source });
    },

    shared: (
      session: DeviceSession,
      { firstSource, source }: { firstSource: string; source: string },
      { requestId, client }: RefreshRequest,
    ) => {
      metrics.sessionShared(client.id);
      logger.event('session.shared', { requestId, ...fieldsOf(session), source, firstSource });
    },

    revoked: (request: DeviceRequest, session: DeviceSession) => {
      const { requestId } = request;
      const source = request.source();
      metrics.sessionEnded(session.clientId, 'revoked');
      logger.event('session.ended', { requestId, ...fieldsOf(session), by: 'client', reason: 'revoked', source });
    },

    refused: (
      grant: Grant,
      { upstream, subject }: Approval,
      reason: RefusedBecause,
      { requestId, source }: Partial<Asker> = {},
    ) => {
      const about = { requestId, grant: logTag(grant.id), client: grant.clientId, upstream, subject };
      logger.event('grant.refused', { ...about, reason, source: source?.() });
    },

    unconfirmed: (grant: Grant, reason: UnconfirmedBecause, { requestId, source }: Partial<Asker> = {}) => {
      metrics.confirmationAnswered(grant.clientId, reason);
      const about = { requestId, grant: logTag(grant.id), client: grant.clientId };
      logger.event('confirmation.refused', { ...about, reason, source: source?.() });
    },

    replayed: (grant: Grant, { requestId, source }: Partial<Asker> = {}) => {
      const tag = logTag(grant.id);
      const about = { requestId, grant: tag, session: tag, client: grant.clientId, source: source?.() };
      metrics.sessionEnded(grant.clientId, 'replay');
      logger.event('grant.replayed', about);
      logger.event('session.ended', { ...about, by: 'replay', reason: 'replay' });
    },

    loggedOut: ({ requestId }: DeviceRequest, upstream: string, { sub: subject }: LogoutToken) => {
      logger.event('logout.received', { requestId, upstream, subject });
    },

    /** Anybody who knows the `sid` can say so: it is for an administrator to see from where. */
    toldOfLogout: (request: DeviceRequest, upstream: string) => {
      logger.event('logout.received', { requestId: request.requestId, upstream, source: request.source() });
    },

    unreadable: (sessionId: string, error: Error) => {
      logger.event('storage.rejected', { grant: logTag(sessionId), detail: error.message });
    },

    limited: (limit: string, source: string, client: string) => {
      metrics.limitReached(limit);
      logger.event('limit.reached', { limit, source, client });
    },

    forgery: (grantId: string, error: Error) => {
      logger.event('storage.rejected', { grant: logTag(grantId), detail: error.message });
    },
  };
}
