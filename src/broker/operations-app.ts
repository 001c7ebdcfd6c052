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
import { createStatus, type StatusDeps } from '../operations/status/status.ts';
import { createStatusPage } from '../operations/status/status-page.ts';
import { logTag } from '../telemetry/logger.ts';
import type { OperationsAnswer } from '../telemetry/operations-listener.ts';
import type { Overview } from '../telemetry/overview.ts';
import type { ConfigContext, ProcessContext } from './context.ts';

/** What only the process knows of itself, and can do. */
export interface ProcessFacts extends Pick<ProcessRoutesDeps, 'reload'> {
  version: string;
  isDraining: () => boolean;
  /** Where it tells of others besides itself. */
  overview?: () => Promise<Overview>;
}

/** What is in force now, whatever was when the listener began. */
export interface OperationsInForce {
  configContext: ConfigContext;
  countPending: () => Promise<number>;
}

/** Builds the third door: what operators and help desks ask, on the operations listener alone. */
export function createOperationsApp(
  processContext: ProcessContext,
  inForce: () => OperationsInForce,
  { countSessions, ...facts }: ProcessFacts & Pick<StatusDeps, 'countSessions'>,
  newRequestId: () => string,
) {
  const { storage, metrics, clock } = processContext;
  const status = createStatus({
    ...{ storage, clock, countSessions, ...facts },
    publicUrl: inForce().configContext.config.publicUrl,
    upstreams: () => inForce().configContext.upstreams.values(),
    overview: () => facts.overview?.() ?? metrics.overview(),
    countPending: () => inForce().countPending(),
  });
  // Compiled when somebody looks.
  let render: ReturnType<typeof createStatusPage> | undefined;
  const pages = new Map<string, () => Promise<OperationsAnswer>>([
    [
      '/status',
      async () => {
        render ??= createStatusPage();
        const { html, contentSecurityPolicy } = render(await status());
        const headers = { 'Content-Security-Policy': contentSecurityPolicy, 'X-Frame-Options': 'DENY' };
        return { status: 200, body: html, contentType: 'text/html; charset=utf-8', headers };
      },
    ],
  ]);
  const adminApi = createAdmin(processContext, inForce, { status, newRequestId, ...facts });
  /** `undefined` while the configuration in force has none. */
  const admin = (): RequestListener | undefined =>
    inForce().configContext.config.admin === undefined ? undefined : (...call) => void adminApi(...call);
  return { pages, admin };
}

function createAdmin(
  { storage, sealing, logger, metrics, randomBytes, clock }: ProcessContext,
  inForce: () => OperationsInForce,
  {
    status,
    reload,
    version,
    newRequestId,
  }: ProcessFacts & Pick<ProcessRoutesDeps, 'status'> & { newRequestId: () => string },
) {
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
  return createAdminApi({
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
}
