import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Status } from '../../../src/operations/status/status.ts';
import { createStatusPage } from '../../../src/operations/status/status-page.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createOperations } from '../../../src/telemetry/operations-listener.ts';

/** An operations listener whose `/status` is always this one. */
export async function serveStatus(status: Status): Promise<{ url: string; close(): void }> {
  const { html: body, contentSecurityPolicy } = createStatusPage()(status);
  const headers = { 'Content-Security-Policy': contentSecurityPolicy };
  const answer = { status: 200, body, contentType: 'text/html; charset=utf-8', headers };
  const pages = new Map([['/status', async () => answer]]);
  const isReady = async () => ({ ready: true, reasons: [] });
  const server = createServer(createOperations({ isReady, metrics: createMetrics(), logger: silentLogger, pages }));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`;
  return { url, close: () => void server.close() };
}
