import type { RequestListener } from 'node:http';
import type { ProcessRoutesDeps } from '../operations/admin/process-routes.ts';
import { createStatus, type StatusDeps } from '../operations/status/status.ts';
import type { createStatusPage } from '../operations/status/status-page.ts';
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
  // Loaded and compiled when somebody looks: a start need not wait for it.
  let render: ReturnType<typeof createStatusPage> | undefined;
  const pages = new Map<string, () => Promise<OperationsAnswer>>([
    [
      '/status',
      async () => {
        render ??= (await import('../operations/status/status-page.ts')).createStatusPage();
        const { html, contentSecurityPolicy } = render(await status());
        const headers = { 'Content-Security-Policy': contentSecurityPolicy, 'X-Frame-Options': 'DENY' };
        return { status: 200, body: html, contentType: 'text/html; charset=utf-8', headers };
      },
    ],
  ]);
  let adminApi: Promise<RequestListener> | undefined;
  const callAdmin: RequestListener = (request, response) => {
    adminApi ??= import('./admin-app.ts').then(({ createAdminApp }) =>
      createAdminApp(processContext, inForce, { status, newRequestId, ...facts }),
    );
    adminApi.then(
      (api) => api(request, response),
      (error: unknown) => {
        adminApi = undefined;
        processContext.logger.event('request.failed', { method: request.method, route: 'admin', status: 500, error });
        response.writeHead(500).end();
      },
    );
  };
  /** `undefined` while the configuration in force has none. */
  const admin = (): RequestListener | undefined =>
    inForce().configContext.config.admin === undefined ? undefined : callAdmin;
  return { pages, admin };
}
