import { createStatus } from '../operations/status/status.ts';
import { createStatusPage } from '../operations/status/status-page.ts';
import type { OperationsAnswer } from '../telemetry/operations-listener.ts';
import type { ConfigContext, ProcessContext } from './context.ts';

/** What only the process knows of itself. */
export interface ProcessFacts {
  version: string;
  isDraining: () => boolean;
}

/** What is in force now, whatever was when the listener began. */
export interface OperationsInForce {
  configContext: ConfigContext;
  countPending: () => Promise<number>;
}

/** Builds the third door: what operators and help desks ask, on the operations listener alone. */
export function createOperationsApp(
  { storage, metrics, clock }: ProcessContext,
  inForce: () => OperationsInForce,
  facts: ProcessFacts,
) {
  const status = createStatus({
    ...{ storage, clock, ...facts },
    publicUrl: inForce().configContext.config.publicUrl,
    upstreams: () => inForce().configContext.upstreams.values(),
    overview: () => metrics.overview(),
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
  return { pages };
}
