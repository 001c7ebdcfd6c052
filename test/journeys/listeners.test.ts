import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestTls, Agent as TlsAgent } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unusedPort } from '../support/broker/broker-process.ts';
import { selfSigned } from '../support/samples/self-signed.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLIENTS = { cli: { name: 'CLI' } };
const UPSTREAMS = { corp: { issuer: 'http://127.0.0.1:9', client_id: 'gatehouse' } };

let folder: string;
let child: ChildProcess | undefined;
let said: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-listen-'));
  said = '';
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function place(name: string, content: string): Promise<void> {
  await writeFile(join(folder, `${name}~`), content, { mode: 0o600 });
  await rename(join(folder, `${name}~`), join(folder, name));
}

async function start(yaml: object, run: { shell?: string; stdio?: number } = {}): Promise<ChildProcess> {
  const rest = {
    storage: { driver: 'memory' },
    trusted_proxies: [],
    drain: '0s',
    upstreams: UPSTREAMS,
    clients: CLIENTS,
  };
  await place('gatehouse.yaml', JSON.stringify({ ...rest, ...yaml }));
  const words = ['--import', 'tsx', join(ROOT, 'src/main.ts'), '--config', join(folder, 'gatehouse.yaml')];
  const [program, ...more] =
    run.shell === undefined ? [process.execPath, ...words] : ['sh', '-c', run.shell, process.execPath, ...words];
  child = spawn(program as string, more, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe', ...(run.stdio === undefined ? [] : [run.stdio])],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      child?.emit('said');
    });
  }
  await untilSaid(/is ready at/);
  return child;
}

async function untilSaid(words: RegExp): Promise<void> {
  await expect.poll(() => words.test(said) || child?.exitCode != null, { timeout: 30_000 }).toBe(true);
  if (!words.test(said)) throw new Error(`it ended: ${said}`);
}

interface Asked {
  status: number;
  body: { [member: string]: unknown };
}

async function ask(options: RequestOptions & { isTls?: boolean; form?: string }): Promise<Asked> {
  const { isTls = false, form, ...rest } = options;
  const method = form === undefined ? 'GET' : 'POST';
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(rest.headers as object) };
  const sent = (isTls ? requestTls : requestHttp)({ ...rest, method, headers }).end(form);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, body: JSON.parse(text) as Asked['body'] };
}

const DOCUMENT = '/.well-known/oauth-authorization-server';

describe('TLS at our own listener', () => {
  it('serves, renews its certificate at a reload, and drops no connection for it', { timeout: 60_000 }, async () => {
    const [first, second] = [selfSigned(), selfSigned()];
    await place('cert.pem', first.cert);
    await place('key.pem', first.key);
    const port = await unusedPort();
    const tls = { cert: { file: 'cert.pem' }, key: { file: 'key.pem' } };
    await start({ public_url: `https://localhost:${port}`, listen: { port, tls } });
    expect(said).not.toMatch(/config\.warning.*listen/);

    const at = { host: '127.0.0.1', port, path: DOCUMENT, isTls: true, servername: 'localhost' };
    const agent = new TlsAgent({ keepAlive: true, ca: first.cert, maxSockets: 1 });
    expect((await ask({ ...at, agent })).body['issuer']).toBe(`https://localhost:${port}`);
    const fingerprint = async () => {
      const socket: TLSSocket = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        rejectUnauthorized: false,
      });
      await once(socket, 'secureConnect');
      const shown = socket.getPeerX509Certificate()?.toString();
      socket.destroy();
      return shown;
    };
    const before = await fingerprint();
    await place('key.pem', second.key);
    await place('cert.pem', second.cert);
    await expect.poll(fingerprint, { timeout: 10_000 }).not.toBe(before);

    // The connection of before, which only the first certificate vouches for, goes on.
    expect((await ask({ ...at, agent })).status).toBe(200);
    expect((await ask({ ...at, ca: second.cert })).status).toBe(200);
    await expect(ask({ ...at, ca: first.cert })).rejects.toThrow();
    agent.destroy();

    said = '';
    await place('key.pem', 'half of a ke');
    await untilSaid(/listen\.tls\.key: is not the private key/);
    expect((await ask({ ...at, ca: second.cert })).status).toBe(200);

    // Who speaks plain HTTP there, or nothing that makes sense, is cut and takes nobody along.
    for (const text of ['GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n']) {
      const plain = connect(port, '127.0.0.1').on('error', () => {});
      plain.end(text);
      await once(plain, 'close');
    }
    expect((await ask({ ...at, ca: second.cert })).status).toBe(200);
    expect(said).not.toMatch(/request\.refused|process\.fault/);
  });
});

describe('a unix socket', () => {
  const forwarded = (socketPath: string, source: string) =>
    ask({
      socketPath,
      path: '/device_authorization',
      form: 'client_id=cli',
      headers: { 'x-forwarded-for': source },
    });

  it('believes its peer about where requests come from, and lets nobody else in', async () => {
    const socket = join(folder, 'gatehouse.sock');
    const yaml = {
      public_url: 'http://127.0.0.1:8080',
      listen: { socket: 'gatehouse.sock' },
      limits: { starts_per_source: 1 },
    };
    await start(yaml);
    expect((await stat(socket)).mode & 0o777).toBe(0o660);
    expect((await ask({ socketPath: socket, path: DOCUMENT })).status).toBe(200);
    // Two addresses have a limit each; and one has one, whatever stands left of it.
    expect((await forwarded(socket, '198.51.100.1')).status).toBe(200);
    expect((await forwarded(socket, '198.51.100.2')).status).toBe(200);
    expect((await forwarded(socket, '203.0.113.9, 198.51.100.1')).status).toBe(429);
  });

  it('that a killed process left behind is taken over, and one in use is not', { timeout: 60_000 }, async () => {
    const socket = join(folder, 'gatehouse.sock');
    const yaml = { public_url: 'http://127.0.0.1:8080', listen: { socket } };
    const killed = await start(yaml);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    said = '';
    const running = await start(yaml);
    expect((await ask({ socketPath: socket, path: DOCUMENT })).status).toBe(200);

    said = '';
    await expect(start(yaml)).rejects.toThrow(/cannot listen .*EADDRINUSE.*gatehouse\.sock/);
    expect(child?.exitCode).toBe(1);
    expect((await ask({ socketPath: socket, path: DOCUMENT })).status).toBe(200);
    running.kill('SIGTERM');
    await once(running, 'exit');
    await expect(stat(socket)).rejects.toThrow();
  });
});

describe('a socket that systemd hands over', () => {
  /** As systemd starts a service: the socket as descriptor 3, and the variables with the number of the process. */
  const ACTIVATED = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"';
  const yaml = { public_url: 'http://127.0.0.1:8080', listen: { socket: 'systemd' } };

  it('is listened on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const handle = (server as unknown as { _handle: { fd: number } })._handle;
    await start(yaml, { shell: ACTIVATED, stdio: handle.fd });
    server.close();
    const agent = new Agent({ keepAlive: false });
    expect((await ask({ host: '127.0.0.1', port, path: DOCUMENT, agent })).status).toBe(200);
  });

  it.each([
    ['is none', undefined],
    ['is another process’ one', 'LISTEN_PID=1 LISTEN_FDS=1 exec "$0" "$@"'],
  ])('that %s ends the start with words', async (_, shell) => {
    await expect(start(yaml, shell === undefined ? {} : { shell })).rejects.toThrow(/handed no socket over/);
    expect(child?.exitCode).toBe(1);
  });
});
