import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import type { RedisSettings } from '../../../src/storage/storage.ts';
import { CLUSTER_RIGHTS, LEAST_USER, leastUserOptions } from '../broker/least-rights.ts';

/** A Redis for one test file, which nobody else uses. */
export interface TestRedis {
  url: string;
  port: number;
  /** Settings with a key prefix of their own at every call; of the user with the least rights, unless `more` says whose. */
  settings(more?: Partial<RedisSettings>): RedisSettings;
  /** Stops the process like a power cut, and the second starts it again on the same port, empty. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Freezes and thaws it: connections stay, answers do not come. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

let prefixes = 0;

function settingsAt(url: string, more: Partial<RedisSettings> = {}): RedisSettings {
  prefixes += 1;
  return { at: { url }, keyPrefix: `gatehouse:test-${process.pid}-${Date.now().toString(36)}-${prefixes}:`, ...more };
}

/**
 * The Redis of a test file: `REDIS_URL` where that is set, else a `redis-server` process of its own.
 * Data of others in a `REDIS_URL` stays untouched, since every storage gets a prefix of its own.
 */
export async function redisForTests(): Promise<Pick<TestRedis, 'url' | 'settings' | 'stop'>> {
  const named = process.env['REDIS_URL'];
  if (named === undefined || named === '') {
    return startRedisServer();
  }
  const url = new URL(named);
  const access: Partial<RedisSettings> = {};
  if (url.password !== '') {
    access.password = new Secret(decodeURIComponent(url.password));
    access.username = decodeURIComponent(url.username) || 'default';
  }
  url.username = '';
  url.password = '';
  return {
    url: url.href,
    settings: (more) => settingsAt(url.href, { ...access, ...more }),
    stop: async () => {},
  };
}

/**
 * Starts a `redis-server` process on a free port.
 *
 * @param more of its command line; later ones win
 * @param rights of the user with the least rights, besides the usual ones
 */
export async function startRedisServer(more: readonly string[] = [], ...rights: string[]): Promise<TestRedis> {
  const options = [...leastUserOptions(...rights), ...more];
  const folder = await mkdtemp(join(inject('runFolder'), 'redis-'));
  const port = await freePort();
  let child = await launch(port, folder, options);

  const kill = () => end(child);
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    port,
    settings: (more = {}) => settingsAt(url, { ...('password' in more ? {} : LEAST_USER), ...more }),
    kill,
    restart: async () => {
      await kill();
      child = await launch(port, folder, options);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function launch(port: number, folder: string, options: readonly string[]) {
  const settings = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--dir', folder];
  return spawnServer(port, ['--port', `${port}`, '--bind', '127.0.0.1', ...settings, ...options]);
}

async function spawnServer(port: number, args: readonly string[]) {
  const server = inject('redisServer');
  if ('missing' in server) {
    throw new Error(server.missing);
  }
  const child = spawn(server.program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await writeFile(join(inject('runFolder'), String(child.pid)), '');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
  }
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 20) {
    if (child.exitCode !== null) {
      throw new Error(`redis-server ended at once: ${said}`);
    }
    if (await accepts(port)) {
      return child;
    }
    await delay(20);
  }
  throw new Error(`redis-server did not listen within 10 s: ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(join(inject('runFolder'), String(child.pid)), { force: true });
}

/** Three masters that share the slots, on as many ports. */
export async function startRedisCluster(): Promise<{ nodes: string[]; servers: TestRedis[]; stop(): Promise<void> }> {
  const servers = await Promise.all(
    [0, 1, 2].map(() => startRedisServer(['--cluster-enabled', 'yes'], CLUSTER_RIGHTS)),
  );
  const clients = servers.map(({ url }) => new Redis(url));
  const [first] = servers;
  const slotsOf = (index: number) =>
    Array.from({ length: 16384 }, (_, slot) => slot).filter((slot) => Math.floor((slot * 3) / 16384) === index);
  await Promise.all(clients.map((client, index) => client.cluster('ADDSLOTS', ...slotsOf(index))));
  await Promise.all(clients.map((client) => client.cluster('MEET', '127.0.0.1', String(first?.port))));
  for (const client of clients) {
    const isWhole = async () => /cluster_state:ok.*cluster_known_nodes:3/s.test(String(await client.cluster('INFO')));
    while (!(await isWhole())) {
      await delay(50);
    }
    client.disconnect();
  }
  return {
    servers,
    nodes: servers.map(({ port }) => `127.0.0.1:${port}`),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** A master, its replica, and a sentinel that watches them under the name `mymaster`; `more` are lines of its own file. */
export async function startRedisSentinel(more: readonly string[] = []) {
  const master = await startRedisServer();
  const replica = await startRedisServer(['--replicaof', '127.0.0.1', String(master.port)]);
  const follower = new Redis(replica.url);
  while (!(await follower.info('replication')).includes('master_link_status:up')) {
    await delay(50);
  }
  follower.disconnect();
  const folder = await mkdtemp(join(inject('runFolder'), 'sentinel-'));
  const port = await freePort();
  const lines = [`port ${port}`, 'bind 127.0.0.1', `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`];
  // Where the first try promotes nobody, as on a machine that is too busy, the next comes after twice the time-out.
  const times = ['down-after-milliseconds mymaster 1000', 'failover-timeout mymaster 5000'].map(
    (each) => `sentinel ${each}`,
  );
  await writeFile(join(folder, 'sentinel.conf'), [...lines, ...times, ...more, `dir ${folder}`, ''].join('\n'));
  const child = await spawnServer(port, [join(folder, 'sentinel.conf'), '--sentinel']);
  return {
    nodes: [`127.0.0.1:${port}`],
    master,
    replica,
    stop: async () => {
      await Promise.all([end(child), master.stop(), replica.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Below 22 000, since the nodes of a cluster talk to each other 10 000 ports higher, and from 32 768 on the system takes
 * ports for outgoing connections, which may come at any time.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + randomInt(12_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
