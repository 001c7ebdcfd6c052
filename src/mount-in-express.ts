import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Broker } from './broker/broker.ts';

type Next = (error?: unknown) => void;

/**
 * The part of an Express app that mounting needs; every version of Express has it.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import type { HostApp } from 'gatehouse-broker';
 *
 * // The least that Gatehouse can be mounted in.
 * const app: HostApp = {
 *   use: (handler) => createServer((request, response) => handler(request, response, () => response.writeHead(404).end())),
 * };
 * ```
 */
export interface HostApp {
  use(handler: (request: IncomingMessage, response: ServerResponse, next: Next) => void): unknown;
}

/**
 * Mounts a broker in a host's Express app. What is not one of Gatehouse's paths goes on to the host. Gatehouse reads
 * bodies itself, bounded and strict: mount it before body parsers, or its POSTs fail with an error that says so.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { createBroker, loadConfig, memoryStorage, mountInExpress } from 'gatehouse-broker';
 *
 * const broker = await createBroker({ config: await loadConfig('gatehouse.yaml'), storage: memoryStorage() });
 * const app = express();
 * mountInExpress(app, broker);
 * app.use(express.json()); // body parsers come after it
 * app.listen(8080, '127.0.0.1');
 * ```
 */
export function mountInExpress(app: HostApp, broker: Broker): void {
  app.use((request, response, next) => {
    if (!broker.serves(request.url ?? '/')) return next();
    if (request.method === 'POST' && (request.readableEnded || 'body' in request)) {
      return next(new Error('mount Gatehouse before body parsers: the body of this request has been read already'));
    }
    broker.handle(request, response);
  });
}
