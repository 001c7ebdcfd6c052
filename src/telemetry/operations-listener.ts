import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface Readiness {
  ready: boolean;
  /** One word or sentence for each thing that is missing; empty when ready. */
  reasons: readonly string[];
}

export interface OperationsDeps {
  /** Storage answers, keys are there, and the process is not draining. An upstream that is away does not count. */
  isReady: () => Promise<Readiness>;
  metrics: Pick<Metrics, 'text'>;
  logger: Logger;
  /** Judges the `Host` of a request; every one is taken without it. */
  isForeignHost?: ((host: string | undefined) => boolean) | undefined;
  /** Pages besides its own, by their path. */
  pages?: ReadonlyMap<string, () => Promise<OperationsAnswer>>;
  /** Answers whatever is below `/admin/`; nothing is there without it. */
  admin?: () => RequestListener | undefined;
}

export interface OperationsAnswer {
  status: number;
  body: string;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

/**
 * What machines of the operator ask: `/healthz` (the process answers), `/readyz` (send it traffic), `/metrics`,
 * and what is handed in besides.
 * It has a listener of its own and must never be mounted on the public one: readiness and metrics tell an attacker
 * whether an attack works. On loopback a page of the machine's own browser, whose name resolves there (DNS rebinding),
 * could read them too. On another address any name may be the operator's: there the network says who may ask.
 */
export function createOperations(deps: OperationsDeps) {
  const { isReady, metrics, logger, isForeignHost = () => false } = deps;
  const pages = new Map<string, () => Promise<OperationsAnswer>>([
    ...(deps.pages ?? []),
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

  async function answerTo(page: () => Promise<OperationsAnswer>, method: string): Promise<OperationsAnswer> {
    try {
      return await page();
    } catch (error) {
      logger.event('request.failed', { method, route: 'operations', status: 500, error });
      return { status: 500, body: 'failed; the log says why\n' };
    }
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '' } = request;
    const admin = request.url?.startsWith('/admin/') === true ? deps.admin?.() : undefined;
    if (admin !== undefined && !isForeignHost(request.headers.host)) {
      admin(request, response);
      return;
    }
    // Nothing else here reads a body; one that comes is let run off, so that the connection stays usable.
    request.resume();
    const page = pages.get(request.url?.split('?', 1)[0] ?? '');
    if (isForeignHost(request.headers.host)) {
      send(response, method, { status: 421, body: 'this listener is for this machine; ask it as localhost\n' });
    } else if (page === undefined) {
      send(response, method, { status: 404, body: 'not found\n' });
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      send(response, method, { status: 405, body: 'method not allowed\n' });
    } else {
      void answerTo(page, method).then((answer) => send(response, method, answer));
    }
  };
}

function send(response: ServerResponse, method: string, answer: OperationsAnswer): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType ?? 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(answer.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...answer.headers,
  });
  response.end(method === 'HEAD' ? undefined : answer.body);
}
