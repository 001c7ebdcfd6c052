import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createBroker, loadConfig } from 'gatehouse-broker';
import { describeStorage } from 'gatehouse-broker/contract';
import { Database, thirdStorage } from './third-storage.ts';

describeStorage({ describe, it }, async () => {
  const database = new Database();
  return {
    storage: thirdStorage(database),
    replica: thirdStorage(database),
    async advance(milliseconds) {
      database.aheadMs += milliseconds;
    },
    outage: {
      async begin() {
        database.isReachable = false;
      },
      async end() {
        database.isReachable = true;
      },
    },
    async close() {},
  };
});

void describe('a broker over a third storage', () => {
  void it('answers an outage with 503 temporarily_unavailable, and the grant is there afterwards', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const upstreams = { corp: { issuer: 'http://127.0.0.1:1', client_id: 'gatehouse' } };
    const yaml = { public_url: origin, upstreams, clients: { tv: { name: 'TV' } } };
    await writeFile('gatehouse.yaml', JSON.stringify(yaml));
    const database = new Database();
    const broker = await createBroker({ config: await loadConfig('gatehouse.yaml'), storage: thirdStorage(database) });
    server.on('request', broker.handle);
    try {
      await broker.tested;
      await startAndPoll(origin, database);
      assert.deepEqual(await broker.missing(), []);
      database.isReachable = false;
      assert.deepEqual(await broker.missing(), ['storage does not answer']);
    } finally {
      server.close();
      server.closeAllConnections();
      await broker.close();
    }
  });
});

async function startAndPoll(origin: string, database: Database): Promise<void> {
  const post = async (path: string, form: Record<string, string>) => {
    const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(form) });
    const body = (await response.json()) as Record<string, string>;
    return { status: response.status, body, retryAfter: response.headers.get('retry-after') };
  };
  const start = () => post('/device_authorization', { client_id: 'tv' });
  const { body: started } = await start();
  const poll = () =>
    post('/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'tv',
      device_code: started['device_code'] ?? '',
    });
  database.isReachable = false;
  for (const answer of [await start(), await poll()]) {
    assert.deepEqual([answer.status, answer.body['error']], [503, 'temporarily_unavailable']);
    assert.ok(Number(answer.retryAfter) > 0);
  }
  database.isReachable = true;
  const { status, body } = await poll();
  assert.deepEqual([status, body['error']], [400, 'authorization_pending']);
}
