import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Subjects are the servers that the benchmark measures, each in a process of its own: it listens on a free port, tells
 * its parent, and answers what it has used of the processor so far.
 */
export interface Prepared {
  /** One request body for each device that polls. */
  bodies: readonly string[];
  path: string;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** @param prepare what must exist before the load begins */
export async function runSubject(handle: RequestListener, prepare: () => Promise<Prepared>): Promise<void> {
  const server = createServer({ keepAliveTimeout: 75_000 }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const prepared = await prepare();
  process.on('message', (message) => {
    if (message === 'usage') {
      const { user, system } = process.cpuUsage();
      process.send?.({ cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() });
    }
    if (message === 'heap') {
      collectGarbage();
      process.send?.({ heapBytes: process.memoryUsage().heapUsed });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port, ...prepared });
}

export function readBody(request: Parameters<RequestListener>[0]): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** A poll as every subject gets it (RFC 8628 §3.4). */
export function pollBody(deviceCode: string): string {
  const grantType = encodeURIComponent('urn:ietf:params:oauth:grant-type:device_code');
  return `grant_type=${grantType}&client_id=tv&device_code=${deviceCode}`;
}
