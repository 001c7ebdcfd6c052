import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';
import { createBroker } from '../src/broker/broker.ts';
import { processEnvironment } from '../src/config/environment.ts';
import { readConfig } from '../src/config/load-config.ts';
import { memoryStorage } from '../src/storage/memory/memory-storage.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { type DemoUpstream, embeddedDemoUpstream, type OpenDemoUpstream } from './demo-upstream.ts';

export interface DemoBroker {
  publicUrl: string;
  upstream: Pick<DemoUpstream, 'issuer' | 'users' | 'signIn'> & { displayName: string };
  client: { id: string; name: string; scopes: readonly string[] };
  close(): Promise<void>;
}

/** The port that was asked for is in use. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

const file = new URL('../config/demo.yaml', import.meta.url);
const host = '127.0.0.1';

/**
 * A broker on the memory driver, with an OpenID provider of the demo's own as its upstream.
 *
 * @param port 0 takes a free one
 * @throws {PortTakenError}
 */
export async function startDemoBroker(
  port: number,
  openUpstream: OpenDemoUpstream = embeddedDemoUpstream,
): Promise<DemoBroker> {
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  const publicUrl = `http://${host}:${await listen(server, port)}`;
  const text = await readFile(file, 'utf8');
  // A person wants to see the sign-in, not the log; but what breaks must not break in silence.
  const environment = { GATEHOUSE_LOG_LEVEL: 'error', ...processEnvironment() };
  const written = readConfig(file.pathname, text, environment);
  const [corp] = written.upstreams;
  const [client] = written.clients;
  if (corp === undefined || client === undefined) throw new Error(`${file.pathname} has no upstream or no client`);
  const { id: upstreamId, clientId } = corp;
  const upstream = await openUpstream({ publicUrl, upstreamId, clientId, displayName: corp.displayName });
  // The file names the usual ports; the demo has those that it got.
  const here = parse(text.replaceAll(written.publicUrl, publicUrl)) as { upstreams: Record<string, object> };
  here.upstreams[upstreamId] = { ...here.upstreams[upstreamId], issuer: upstream.issuer, ...upstream.yaml };
  const storage = memoryStorage();
  const config = readConfig(file.pathname, JSON.stringify(here), { ...environment, ...upstream.environment });
  const logger = createLogger(config.log);
  const broker = await createBroker({ config, storage, logger });
  handle = (request, response) => broker.handle(request, response);
  return {
    publicUrl,
    upstream: { ...upstream, displayName: config.upstreams[0]?.displayName ?? '' },
    client: { id: client.id, name: client.name, scopes: client.scopes.default },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await upstream.close();
      await storage.close();
      await logger.flush();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' || error.code === 'EACCES' ? new PortTakenError(error.message) : error);
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
