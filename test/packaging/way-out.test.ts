import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/self-signed.ts';

const root = join(import.meta.dirname, '../..');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** docs/operations/install.md says which these are. */
const TAKES_PROXY_FROM_ENVIRONMENT = major >= 24 || (major === 22 && minor >= 21);

/** What Node's own variables do for the way to an upstream, on the Node that runs the tests. */
let folder: string;
let upstream: Server;
let proxy: Server;
let tunnels: string[];
let proxyUrl: string;
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
  const yaml = { public_url: 'http://127.0.0.1:8080', upstreams: { corp }, clients: { cli: { name: 'CLI' } } };
  await writeFile(join(folder, 'gatehouse.yaml'), JSON.stringify(yaml));
});
afterAll(async () => {
  for (const each of [upstream, proxy]) {
    each.closeAllConnections();
    each.close();
  }
  await rm(folder, { recursive: true, force: true });
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Asks for the upstream as `gatehouse check --probe` does, with these variables of Node's. */
function probe(environment: Record<string, string>): Promise<{ code: number; said: string }> {
  tunnels = [];
  const words = ['--import', 'tsx', 'src/cli/gatehouse.ts', 'check', '--probe', '--config'];
  const env = { PATH: process.env['PATH'], ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [...words, join(folder, 'gatehouse.yaml')], { cwd: root, env }, (error, out) =>
      resolve({ code: Number(error?.code ?? 0), said: out }),
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
  const through = () => ({ NODE_EXTRA_CA_CERTS: join(folder, 'upstream-ca.pem'), HTTPS_PROXY: proxyUrl });

  it(`${TAKES_PROXY_FROM_ENVIRONMENT ? 'is' : 'is not'} taken with NODE_USE_ENV_PROXY by this Node`, async () => {
    expect((await probe({ ...through(), NODE_USE_ENV_PROXY: '1' })).code).toBe(0);
    expect(tunnels.length > 0).toBe(TAKES_PROXY_FROM_ENVIRONMENT);
    expect(new Set(tunnels).size).toBeLessThan(2);
  });

  it('is not taken without NODE_USE_ENV_PROXY, nor to what NO_PROXY names', async () => {
    expect((await probe(through())).code).toBe(0);
    expect((await probe({ ...through(), NODE_USE_ENV_PROXY: '1', NO_PROXY: 'localhost' })).code).toBe(0);
    expect(tunnels).toEqual([]);
  });
});
