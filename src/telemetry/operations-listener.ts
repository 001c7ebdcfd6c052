import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface Readiness {
  ready: boolean;
  /** One word or sentence for each thing that is missing; empty when ready. */
  reasons: readonly string[];
}

export interface OperationsDependencies {
  /** Storage answers, keys are there, and the process is not draining. An upstream that is away does not count. */
  isReady: () => Promise<Readiness>;
  metrics: Pick<Metrics, 'text'>;
  logger: Logger;
}

interface Answer {
  status: number;
  body: string;
  contentType?: string;
}

/**
 * What machines of the operator ask: `/healthz` (the process answers), `/readyz` (send it traffic), `/metrics`.
 * It has a listener of its own and must never be mounted on the public one: readiness and metrics tell an attacker
 * whether an attack works.
 */
export function createOperations({ isReady, metrics, logger }: OperationsDependencies) {
  const pages = new Map<string, () => Promise<Answer>>([
    ['/healthz', async () => ({ status: 200, body: 'ok\n' })],
    [
      '/readyz',
      async () => {
        const { ready, reasons } = await isReady();
        return ready ? { status: 200, body: 'ready\n' } : { status: 503, body: `not ready: ${reasons.join(', ')}\n` };
      },
    ],
    ['/metrics', async () => ({ status: 200, ...(await metrics.text()) })],
  ]);

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Nothing here reads a body; one that comes is let run off, so that the connection stays usable.
    request.resume();
    const page = pages.get(request.url?.split('?', 1)[0] ?? '');
    if (page === undefined) return send(request, response, { status: 404, body: 'not found\n' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return send(request, response, { status: 405, body: 'method not allowed\n' });
    }
    const answer = await page().catch((error: unknown) => {
      logger.event('request.failed', { method: request.method, route: 'operations', status: 500, error });
      return { status: 500, body: 'failed; the log says why\n' };
    });
    send(request, response, answer);
  };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType ?? 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(answer.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}
