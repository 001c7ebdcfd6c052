import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/samples/self-signed.ts';

const root = join(import.meta.dirname, '../..');

/**
 * What Node's own variables and our own keys do for the way to an upstream, the same on every Node that runs the tests:
 * from 22.21 and 24 on Node's `fetch` can be told by them to use a proxy, and ours is not that one.
 */
let folder: string;
let upstream: Server;
let proxy: Server;
let tunnels: string[];
let proxyUrl: string;
let yaml: Record<string, unknown>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-way-out-'));
  const { key, cert } = selfSigned();
  await writeFile(join(folder, 'upstream-ca.pem'), cert);
  upstream = createTlsServer({ key, cert }, (request, response) => {
    const issuer = `https://localhost:${portOf(upstream)}`;
    const metadata = { issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t`, jwks_uri: issuer };
    response.setHeader('content-type', 'application/json');
    if (request.url === '/t') response.writeHead(400).end('{"error":"invalid_grant"}');
    else response.end(JSON.stringify(request.url === '/' ? { keys: [{ kty: 'RSA' }] } : metadata));
  });
  proxy = createServer().on('connect', ({ url = '' }, socket) => {
    tunnels.push(url);
    const far = connect(Number(url.split(':')[1]), '127.0.0.1');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(far).pipe(socket);
    socket.on('error', () => far.destroy());
    far.on('error', () => socket.destroy());
  });
  await Promise.all([upstream, proxy].map((each) => new Promise<void>((up) => each.listen(0, '127.0.0.1', up))));
  proxyUrl = `http://127.0.0.1:${portOf(proxy)}`;
  const corp = { issuer: `https://localhost:${portOf(upstream)}`, client_id: 'gatehouse' };
  yaml = { public_url: 'http://127.0.0.1:8080', upstreams: { corp }, clients: { cli: { name: 'CLI' } } };
});
afterAll(async () => {
  for (const each of [upstream, proxy]) {
    each.closeAllConnections();
    each.close();
  }
  await rm(folder, { recursive: true, force: true });
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Asks for the upstream as `gatehouse check --probe` does, with these variables of Node's, and keys at the top. */
async function probe(
  environment: Record<string, string>,
  keys: Record<string, unknown> = {},
): Promise<{ code: number; said: string; warned: string }> {
  tunnels = [];
  const file = join(folder, 'gatehouse.yaml');
  await writeFile(file, JSON.stringify({ ...yaml, ...keys }));
  const words = ['--import', 'tsx', 'src/cli/gatehouse.ts', 'check', '--probe', '--config', file];
  const env = { PATH: process.env['PATH'], ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: root, env }, (error, said, warned) =>
      resolve({ code: Number(error?.code ?? 0), said, warned }),
    );
  });
}

describe('an upstream with a certificate of one’s own authority', { timeout: 60_000 }, () => {
  it('is wrong, with what to do, until NODE_EXTRA_CA_CERTS names the authority', async () => {
    const { code, said } = await probe({});
    expect(code).toBe(69);
    expect(said).toMatch(/upstream corp: wrong: .*SELF_SIGNED.*NODE_EXTRA_CA_CERTS/);
    expect((await probe({ NODE_EXTRA_CA_CERTS: join(folder, 'upstream-ca.pem') })).code).toBe(0);
  });
});

describe('a proxy on the way to the upstream', { timeout: 60_000 }, () => {
  const trusted = () => ({ NODE_EXTRA_CA_CERTS: join(folder, 'upstream-ca.pem') });

  it.each([
    ['HTTPS_PROXY', {}],
    ['HTTPS_PROXY with NODE_USE_ENV_PROXY', { NODE_USE_ENV_PROXY: '1' }],
  ])('is not taken from %s, and that is said', async (_, more) => {
    const { code, warned } = await probe({ ...trusted(), HTTPS_PROXY: proxyUrl, ...more });
    expect([code, tunnels]).toEqual([0, []]);
    expect(warned).toMatch(/HTTPS_PROXY is set and is not used: corp would be called directly/);
  });

  it('is taken from the configuration', async () => {
    expect((await probe(trusted(), { proxy: proxyUrl })).code).toBe(0);
    expect(new Set(tunnels).size).toBe(1);
  });
});
