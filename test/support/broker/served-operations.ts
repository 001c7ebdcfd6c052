import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { foreignToListener } from '../../../src/network/requested-host.ts';
import type { ReloadOutcome } from '../../../src/operations/admin/process-routes.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createOperations } from '../../../src/telemetry/operations-listener.ts';
import type { TestBroker } from './test-broker.ts';

/** Of what answers have, what tests look into. */
export interface AdminBody extends Record<string, unknown> {
  sessions: Record<string, string>[];
  grants: Record<string, string>[];
  kill_marks: Record<string, string>[];
  next: string | null;
  paths: Record<string, object>;
}

export interface AdminAnswer {
  status: number;
  headers: Headers;
  text: string;
  body: AdminBody;
}

/** The operations listener of a broker, as the process has it, and an operator who asks there. */
export interface ServedOperations {
  origin: string;
  ask(
    path: string,
    more?: { method?: string; token?: string | null; body?: unknown; headers?: Record<string, string> },
  ): Promise<AdminAnswer>;
  close(): Promise<void>;
}

export async function serveOperations(
  { broker }: Pick<TestBroker, 'broker'>,
  usualToken: string,
  reload: () => Promise<ReloadOutcome> = async () => ({ outcome: 'ok' }),
): Promise<ServedOperations> {
  const { logger } = broker.processContext;
  const facts = { version: '0.0.0-test', isDraining: () => false, reload };
  const isReady = async () => ({ ready: true, reasons: [] });
  const isForeignHost = foreignToListener('127.0.0.1');
  const deps = { isReady, logger, metrics: createMetrics(), isForeignHost, ...broker.operations(facts) };
  const server = createServer(createOperations(deps));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    async ask(path, { method = 'GET', token = usualToken, body, headers = {} } = {}) {
      const answer = await fetch(origin + path, {
        method,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type') === 'application/json';
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        body: isJson && text !== '' ? JSON.parse(text) : {},
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
