import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TokenSocket {
  path: string;
  close(): Promise<void>;
}

export interface SocketAnswer {
  token: string;
  expiresAt: string | undefined;
}

/**
 * HTTP on a socket that only this user can open: its folder is theirs alone before there is a socket in it. No port, since
 * every program and every web page of the machine could ask one.
 */
export async function openTokenSocket(fresh: () => Promise<SocketAnswer | undefined>): Promise<TokenSocket> {
  const folder = process.platform === 'win32' ? undefined : await mkdtemp(join(tmpdir(), 'gatehouse-run-'));
  const path =
    folder === undefined ? `\\\\.\\pipe\\gatehouse-${randomBytes(16).toString('hex')}` : join(folder, 'token.sock');
  const server = createServer(answerBy(fresh));
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  if (folder !== undefined) await chmod(path, 0o600);
  return {
    path,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function answerBy(fresh: () => Promise<SocketAnswer | undefined>): RequestListener {
  return (request, response) => {
    const wantsJson = request.headers.accept?.includes('application/json') === true;
    response.setHeader('cache-control', 'no-store');
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    fresh().then(
      (answer) => {
        if (answer === undefined) {
          response.writeHead(503, { 'content-type': 'text/plain' }).end('no token: stderr of gatehouse run says why\n');
        } else if (wantsJson) {
          const body = JSON.stringify({ token: answer.token, expires_at: answer.expiresAt });
          response.writeHead(200, { 'content-type': 'application/json' }).end(`${body}\n`);
        } else response.writeHead(200, { 'content-type': 'text/plain' }).end(`${answer.token}\n`);
      },
      () => response.writeHead(500).end(),
    );
  };
}
