import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type Broker, createBroker, loadConfig, memoryStorage, mountInExpress } from '../../src/index.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

describe('Gatehouse in somebody else’s Express app', () => {
  let upstream: FakeUpstream;
  let folder: string;
  let app: Express;
  let origin: string;
  let broker: Broker;
  let close: () => Promise<void>;
  beforeEach(async () => {
    upstream = await startFakeUpstream();
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-library-'));
    app = express();
    const server = createServer((request, response) => app(request, response)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      });
  });
  afterEach(async () => {
    await close();
    await upstream.close();
    await rm(folder, { recursive: true });
  });

  async function makeBroker(publicUrl: string): Promise<Broker> {
    const file = join(folder, 'gatehouse.yaml');
    const settings = { issuer: upstream.issuer, client_id: 'gatehouse', client_secret: { file: 'upstream-secret' } };
    const yaml = {
      public_url: publicUrl,
      upstreams: { corp: settings },
      clients: { tv: { name: 'TV', signing_alg: 'ES256' } },
    };
    await writeFile(join(folder, 'upstream-secret'), upstream.clientSecret, { mode: 0o600 });
    await writeFile(file, JSON.stringify(yaml));
    return createBroker({ config: await loadConfig(file), storage: memoryStorage() });
  }
  const device = (publicUrl = origin) =>
    new TestDevice({ origin: publicUrl, publicUrl, now: async () => Date.now() }, { clientId: 'tv' });

  it.each([
    ['at the root', ''],
    ['below a path', '/sign-in'],
  ])('serves both doors %s, and leaves everything else to the host', async (_where, path) => {
    broker = await makeBroker(origin + path);
    mountInExpress(app, broker);
    app.use(express.json(), express.urlencoded({ extended: true }));
    app.get('/hello', (_request, response) => void response.send('the host'));
    app.post('/hello', (request, response) => void response.json(request.body));
    const tv = device(origin + path);
    const { body } = await tv.start();
    expect(body['verification_uri']).toBe(`${origin}${path}/device`);
    expect((await approve(`${origin}${path}/device`, body.user_code, 'alice')).status).toBe(200);
    expect((await tv.poll(body.device_code)).status).toBe(200);
    expect(await (await fetch(`${origin}/hello`)).text()).toBe('the host');
    const posted = await fetch(`${origin}/hello`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    expect(await posted.json()).toEqual({ a: 'b' });
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
  });

  it('mounted after a body parser it says what to do', async () => {
    const errors: string[] = [];
    broker = await makeBroker(origin);
    app.use(express.urlencoded({ extended: false }));
    mountInExpress(app, broker);
    app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
      errors.push(error.message);
      response.status(500).send('host error page');
    });
    expect((await device().start()).status).toBe(500);
    expect(errors).toEqual([expect.stringContaining('mount Gatehouse before body parsers')]);
    expect((await fetch(`${origin}/jwks`)).status).toBe(200);
  });

  it('starts nothing: no listener, no signal handler', async () => {
    const before = [process.listenerCount('SIGTERM'), process.listenerCount('SIGHUP')];
    broker = await makeBroker(origin);
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGHUP')]).toEqual(before);
    expect(broker.serves('/token')).toBe(true);
    expect(broker.serves('/hello')).toBe(false);
  });
});
