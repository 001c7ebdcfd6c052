import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installFromDebian, onPath } from './programs.ts';

const DEPLOYED = join(import.meta.dirname, '../../deploy/nginx');

export interface Nginx {
  origin: string;
  /** What it complained of: replicas that did not answer, mostly. */
  complaints(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function findNginx(): Promise<string> {
  const find = () => onPath('nginx') ?? ['/usr/sbin/nginx'].find((file) => existsSync(file));
  if (find() === undefined) await installFromDebian('nginx-light');
  const program = find();
  if (program === undefined) throw new Error('nginx was not found, and could not be installed from Debian');
  return program;
}

/** nginx before some replicas, with the files of deploy/nginx; each answer says which replica gave it (`X-Replica`). */
export async function startNginx(port: number, replicas: readonly string[], keepAlive = '1s'): Promise<Nginx> {
  const program = await findNginx();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-nginx-'));
  await Promise.all([mkdir(join(folder, 'logs')), mkdir(join(folder, 'gatehouse'))]);
  const upstream = await readFile(join(DEPLOYED, 'gatehouse-upstream.conf'), 'utf8');
  const servers = replicas.map((replica) => `server ${new URL(replica).host} max_fails=1 fail_timeout=1s;`);
  await writeFile(
    join(folder, 'gatehouse/gatehouse-upstream.conf'),
    upstream
      .replace(/server .*;/, servers.join('\n'))
      .replace(/keepalive_timeout .*;/, `keepalive_timeout ${keepAlive};`),
  );
  const proxy = await readFile(join(DEPLOYED, 'gatehouse-proxy.conf'), 'utf8');
  await writeFile(join(folder, 'gatehouse/gatehouse-proxy.conf'), proxy);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/logs/error.log warn;
    events { worker_connections 4096; }
    http {
      ${temporary.join('\n')}
      access_log off; include gatehouse/gatehouse-upstream.conf;
      server {
        listen 127.0.0.1:${port} backlog=1024; keepalive_timeout 75s; keepalive_requests 10000;
        location / { add_header X-Replica $upstream_addr always; include gatehouse/gatehouse-proxy.conf; }
      }
    }`,
  );
  const child = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', join(folder, 'logs/error.log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await listening(port, child, () => said);
  return {
    origin: `http://127.0.0.1:${port}`,
    complaints: async () => {
      const text = await readFile(join(folder, 'logs/error.log'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`nginx ended at once: ${said()}`);
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
