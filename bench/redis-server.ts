import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

/** What connections say for themselves. */
const OF_CONNECTIONS = new Set(['info', 'ping', 'hello', 'client', 'select', 'monitor']);

/** A Redis for the benchmark alone: nothing is written to disk, and nothing is evicted. */
export async function startRedis() {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--save', '', '--maxmemory-policy', 'noeviction'], {
    stdio: 'ignore',
  });
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
  await client.ping();
  const info = async (section: string, key: string) => {
    const text = await client.info(section);
    return Number(new RegExp(`^${key}:([\\d.]+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    flush: () => client.flushall(),
    /** Of all entries whose names match, their names included. */
    async bytesOf(name: RegExp): Promise<number> {
      const keys = (await client.keys('*')).filter((key) => name.test(key));
      const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key)));
      return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    },
    /** How many commands clients send meanwhile; what scripts do inside is theirs. */
    async commandsDuring(work: () => Promise<unknown>): Promise<number> {
      const monitor = await client.monitor();
      let count = 0;
      monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
        if (source !== 'lua' && !OF_CONNECTIONS.has(name.toLowerCase())) count += 1;
      });
      await work();
      // The monitor hears of the last command when it is answered; by then the caller has gone on.
      await client.ping();
      monitor.disconnect();
      return count;
    },
    usedBytes: () => info('memory', 'used_memory'),
    cpuSeconds: async () => (await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys')),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      client.disconnect();
      child.kill();
      await ended;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
