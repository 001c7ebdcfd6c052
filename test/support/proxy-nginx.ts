import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findNginx } from './nginx.ts';
import { selfSigned } from './samples/self-signed.ts';

/** An nginx of Debian's that ends TLS with a certificate made now, and hands on what its `locations` say. */
export interface ProxyNginx {
  origin: string;
  port: number;
  certificate: string;
  stop(): Promise<void>;
}

export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** @param locations the inside of its server block */
export async function startProxyNginx(port: number, locations: string): Promise<ProxyNginx> {
  const program = await findNginx();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-proxy-'));
  const { key, cert } = selfSigned();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  await Promise.all([
    writeFile(join(folder, 'key.pem'), key),
    writeFile(join(folder, 'cert.pem'), cert),
    writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log warn;
      events {}
      http {
        ${temporary.join('\n')}
        access_log off;
        server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
          proxy_http_version 1.1;
          ${locations}
        }
      }`,
    ),
  ]);
  const child = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  await untilItListens(port, child);
  return {
    origin: `https://127.0.0.1:${port}`,
    port,
    certificate: cert,
    async stop() {
      process.off('exit', endWithUs);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilItListens(port: number, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null) throw new Error(`nginx ended at once: ${said}`);
    const socket = connect(port, '127.0.0.1');
    const isThere = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isThere) return;
    await delay(25);
  }
  throw new Error('nginx does not listen');
}

/** `fetch` that trusts one certificate more and calls from an address of its own, so that a proxy has one to tell. */
export function fetchFrom(localAddress: string, certificate: string): typeof fetch {
  return async (target, init = {}) => {
    const url = new URL(target instanceof Request ? target.url : target);
    const body = typeof init.body === 'string' || init.body instanceof URLSearchParams ? init.body.toString() : '';
    const headers = new Headers(init.headers);
    if (init.body instanceof URLSearchParams) headers.set('content-type', 'application/x-www-form-urlencoded');
    if (body !== '') headers.set('content-length', String(Buffer.byteLength(body)));
    const options = {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(headers),
      // Only what goes through the proxy has an address of its own; it is the proxy that tells it.
      ...(url.protocol === 'https:' && { localAddress, ca: certificate }),
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { ...options, agent: false });
    request.end(body);
    const [message] = await once(request, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const answered = new Headers();
    for (let at = 0; at < message.rawHeaders.length; at += 2) {
      answered.append(message.rawHeaders[at], message.rawHeaders[at + 1]);
    }
    const hasBody = ![204, 304].includes(message.statusCode);
    return new Response(hasBody ? Buffer.concat(chunks) : null, { status: message.statusCode, headers: answered });
  };
}
