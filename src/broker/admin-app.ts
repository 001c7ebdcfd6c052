import type { RequestListener } from 'node:http';
import type { SessionsDeps } from '../device-sessions/active-session.ts';
import { createAuthenticationLimits } from '../limits/authentication-limits.ts';
import { peerOf, sourceAddress } from '../network/source-address.ts';
import { createAdminApi } from '../operations/admin/admin-api.ts';
import { authenticateOperator } from '../operations/admin/authenticate-operator.ts';
import { grantRoutes } from '../operations/admin/grant-routes.ts';
import { killMarkRoutes, namesIn } from '../operations/admin/kill-mark-routes.ts';
import { openApiDocument } from '../operations/admin/openapi.ts';
import { type ProcessRoutesDeps, processRoutes } from '../operations/admin/process-routes.ts';
import { sessionRoutes } from '../operations/admin/session-routes.ts';
import { logTag } from '../telemetry/logger.ts';
import type { ProcessContext } from './context.ts';
import type { OperationsInForce, ProcessFacts } from './operations-app.ts';

/** What help desks ask, on the operations listener alone; loaded with the first call. */
export function createAdminApp(
  { storage, sealing, logger, metrics, randomBytes, clock }: ProcessContext,
  inForce: () => OperationsInForce,
  {
    status,
    reload,
    version,
    newRequestId,
  }: ProcessFacts & Pick<ProcessRoutesDeps, 'status'> & { newRequestId: () => string },
): RequestListener {
  const { ledger, counters } = storage;
  const context = () => inForce().configContext;
  /** For one call: after a sealing key was taken out there may be a hundred thousand that cannot be read. */
  const oneUnreadable = (): SessionsDeps['onUnreadable'] => {
    let isTold = false;
    return (id, error) => {
      if (isTold) return;
      isTold = true;
      const detail = `${error.message}; others of the same list are not told`;
      logger.event('storage.rejected', { grant: logTag(id), detail });
    };
  };
  const sessions = () => ({ ledger, sealing, clients: context().clients, onUnreadable: oneUnreadable() });
  const end = () => ({ ledger, sealing, randomBytes });
  const ended = { before: undefined, detail: 'admin API' };
  const routes = [
    ...sessionRoutes({
      ...{ sessions, end },
      onEnded({ session: { id, clientId: client, upstream, subject }, ended: before }, { requestId, operator }) {
        const tags = { session: logTag(id), grant: logTag(id) };
        logger.event('admin.ended', { ...ended, requestId, operator, ...tags, client, upstream, subject });
        if (before === undefined) metrics.sessionEnded(client, 'administrator');
      },
    }),
    ...grantRoutes({
      grants: () => ({ ...context().grants, onUnreadable: oneUnreadable() }),
      onEnded({ grant: { id, clientId: client }, redeemed }, { requestId, operator }) {
        logger.event('admin.ended', { ...ended, requestId, operator, grant: logTag(id), client });
        // Redeemed, it is a device session.
        if (redeemed) metrics.sessionEnded(client, 'administrator');
      },
    }),
    ...killMarkRoutes({
      end,
      isClient: (id) => context().clients.has(id),
      isUpstream: (id) => context().upstreams.has(id),
      onSet({ mark, beforeMs }, { requestId, operator }) {
        const before = new Date(beforeMs).toISOString();
        logger.event('admin.ended', { ...ended, requestId, operator, ...namesIn(mark), before });
      },
    }),
    ...processRoutes({ status, reload }),
  ];
  const api = createAdminApi({
    ...{ routes, newRequestId, logger },
    document: openApiDocument(routes, version),
    // Operators come through the same proxies as everybody, where they come through one.
    sourceOf: ({ socket, headers }) => sourceAddress(peerOf(socket), headers, context().config.source),
    authenticate(headers, source) {
      const { config, networks, upstreams } = context();
      const { limits, admin: settings } = config;
      if (settings === undefined) throw new Error('the admin API is off');
      const known = { counters, networks, limits, clock, isKnown: () => true };
      const onLimited = (limit: string) => metrics.limitReached(limit);
      const deps = { settings, limits: createAuthenticationLimits(known), onLimited, upstreams, ledger, sealing };
      return authenticateOperator(deps, headers, source);
    },
  });
  return (...call) => void api(...call);
}
