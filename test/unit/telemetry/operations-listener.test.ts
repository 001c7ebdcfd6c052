import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createOperations, type Readiness } from '../../../src/telemetry/operations-listener.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function operations(isReady: () => Promise<Readiness> = async () => ({ ready: true, reasons: [] })) {
  const handle = createOperations({ isReady, metrics: createMetrics(), logger: silentLogger });
  server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return (path: string, init?: RequestInit) => fetch(origin + path, init);
}

describe('the operations listener', () => {
  it('answers /healthz while the process lives, ready or not', async () => {
    const ask = await operations(async () => ({ ready: false, reasons: ['storage'] }));
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('answers /readyz with 503 and the reasons while something is missing', async () => {
    const ready = await operations();
    expect((await ready('/readyz')).status).toBe(200);
    server?.close();
    const ask = await operations(async () => ({ ready: false, reasons: ['storage', 'draining'] }));
    const answer = await ask('/readyz');
    expect([answer.status, await answer.text()]).toEqual([503, 'not ready: storage, draining\n']);
  });

  it('answers /metrics as text that nobody keeps', async () => {
    const answer = await (await operations())('/metrics?x=1');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toContain('gatehouse_config_reload_success 1');
  });

  it('answers HEAD without a body, another method with 405, another path with 404', async () => {
    const ask = await operations();
    const head = await ask('/healthz', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '3']);
    const post = await ask('/metrics', { method: 'POST', body: 'x'.repeat(1000) });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await ask('/device')).status).toBe(404);
  });

  it('answers 500 without the cause when a question fails', async () => {
    const ask = await operations(() => Promise.reject(new Error('redis://user:password@host')));
    const answer = await ask('/readyz');
    expect([answer.status, await answer.text()]).toEqual([500, 'failed; the log says why\n']);
  });
});
