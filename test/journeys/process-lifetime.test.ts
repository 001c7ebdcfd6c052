import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRedisClient } from '../../src/storage/redis/redis-client.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess, unusedPort } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { LEAST_USER } from '../support/broker/least-rights.ts';
import { answerIn, rawHttp } from '../support/broker/raw-http.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer } from '../support/redis/redis.ts';

const ROOT = join(import.meta.dirname, '../..');
const UPSTREAM = { issuer: 'http://127.0.0.1:1' };
let environment: Record<string, string>;
let folder: string;
beforeAll(async () => {
  environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: 'upstream-secret-0000000000000000' };
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-process-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(args: readonly string[], secrets: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...secrets },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('a process that cannot start', { timeout: 60_000 }, () => {
  it('ends with 78 and names every problem of the configuration with its place', async () => {
    const file = join(folder, 'broken.yaml');
    const mistakes = [
      'public_url: ftp://example.com',
      'listen: { port: 70000 }',
      'storage: { driver: postgres }',
      'upstreams:',
      '  Corp: { issuer: http://sso.example.com, client_id: x }',
      'clients:',
      '  tv: { nmae: TV, interval: 5 }',
      '  cli: { name: CLI, tokens: copy }',
      'limits: { starts_per_source: -1 }',
      'log: { level: loud }',
    ];
    await writeFile(file, mistakes.join('\n'));
    const { code, stdout, stderr } = await run(['src/main.ts', '--config', file]);
    expect([code, stdout]).toEqual([78, '']);
    const places = stderr.split('\n').filter((line) => /broken\.yaml:\d+:\d+ /.test(line));
    expect(places.length).toBeGreaterThanOrEqual(9);
    expect(stderr).toContain('name');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['a file that is not there', ['--config', '/nowhere/gatehouse.yaml'], 78],
    ['an option that nobody knows', ['--nonsense'], 64],
    ['an option without its value', ['--config'], 64],
    ['a word too many', ['start', 'now'], 64],
  ])('%s', async (_what, args, expected) => {
    const { code, stderr } = await run(['src/main.ts', ...args]);
    expect(code).toBe(expected);
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['no command', []],
    ['a command that nobody knows', ['fly']],
    ['an option that start does not have', ['start', '--nonsense']],
  ])('gatehouse with %s ends with 64', async (_what, args) => {
    expect((await run(['src/cli/gatehouse.ts', ...args])).code).toBe(64);
  });

  it.each([
    ['that Redis does not have', ['+select'], 99, /refuses the database \(ERR DB index is out of range\)/],
    ['that its user may not choose', [], 1, /may not say SELECT.*allow \+select/],
  ])('ends with 78 for a database %s, and writes nothing to another', async (_what, rights, database, words) => {
    const redis = await startRedisServer([], ...rights);
    try {
      const file = join(folder, 'database.yaml');
      const { username } = LEAST_USER;
      const settings = { url: `${redis.url}/${database}`, username, password: { env: 'REDIS_PASSWORD' } };
      const origin = `http://127.0.0.1:${await unusedPort()}`;
      const listen = { port: Number(new URL(origin).port) };
      const storage = { driver: 'redis', redis: settings };
      await writeFile(file, JSON.stringify(brokerYaml(UPSTREAM, { public_url: origin, listen, storage })));
      const secrets = { ...environment, REDIS_PASSWORD: LEAST_USER.password.reveal() };
      const { code, stdout, stderr } = await run(['src/main.ts', '--config', file], secrets);
      expect(code).toBe(78);
      expect(stderr).toMatch(words);
      expect(stdout).not.toContain('is ready at');
      const admin = createRedisClient({ at: { url: redis.url }, keyPrefix: '' });
      await admin.connect();
      expect(await admin.call('DBSIZE')).toBe(0);
      admin.disconnect();
    } finally {
      await redis.stop();
    }
  });

  it('ends with 1 and says so in one line when another program has its port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const file = join(folder, 'taken.yaml');
    const least = brokerYaml(UPSTREAM, { public_url: `http://127.0.0.1:${port}`, listen: { port }, keys: {} });
    await writeFile(
      file,
      JSON.stringify({ ...least, upstreams: { corp: { issuer: UPSTREAM.issuer, client_id: 'x' } } }),
    );
    const { code, stdout, stderr } = await run(['src/main.ts', '--config', file]);
    other.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      `gatehouse start: ${file}: cannot listen (listen EADDRINUSE: address already in use 127.0.0.1:${port}): see listen and operations there`,
    );
  });
});

describe('SIGTERM', { timeout: 60_000 }, () => {
  let broker: BrokerProcess;
  afterEach(() => broker.stop('SIGKILL'));

  it('drains: /readyz 503, answers carry Connection: close, a request under way is finished, then exit 0', async () => {
    broker = await startBrokerProcess({
      yaml: brokerYaml(UPSTREAM, { drain: '2s', storage: { driver: 'memory' } }),
      environment,
    });
    const { origin, operations } = broker;
    const device = new TestDevice(
      { origin, publicUrl: origin, now: async () => Date.now() },
      { clientId: 'build-cli' },
    );
    const { body, headers } = await device.start();
    expect(headers.get('connection')).not.toBe('close');
    expect((await fetch(`${operations}/readyz`)).status).toBe(200);

    // The head of a request is there, its body comes after the signal.
    const form = `client_id=build-cli`;
    const slow = httpRequest(`${origin}/device_authorization`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': form.length },
    });
    slow.flushHeaders();
    const slowAnswer = once(slow, 'response');
    await delay(100);
    const startedAtMs = performance.now();
    broker.child.kill('SIGTERM');
    await broker.logged('process.draining');
    const polled = await device.poll(body.device_code);
    expect([polled.body.error, polled.headers.get('connection')]).toEqual(['authorization_pending', 'close']);
    expect((await fetch(`${operations}/readyz`)).status).toBe(503);
    expect((await fetch(`${operations}/healthz`)).status).toBe(200);
    slow.end(form);
    const [response] = (await slowAnswer) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);

    const [code] = broker.child.exitCode === null ? await once(broker.child, 'exit') : [broker.child.exitCode];
    expect(code).toBe(0);
    const seconds = (performance.now() - startedAtMs) / 1000;
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(9);
    expect(broker.noise).toEqual([]);
    await expect(fetch(`${origin}/jwks`)).rejects.toThrow();
  });

  it('with a drain of 0 s the process ends at once, idle connections or not', async () => {
    broker = await startBrokerProcess({ yaml: brokerYaml(UPSTREAM, { storage: { driver: 'memory' } }), environment });
    await fetch(`${broker.origin}/jwks`);
    const idle = connect(Number(new URL(broker.origin).port), '127.0.0.1');
    await once(idle, 'connect');
    const startedAtMs = performance.now();
    expect(await broker.stop('SIGTERM')).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(7000);
    idle.destroy();
  });
});

describe('clients that would hold the process', () => {
  let broker: BrokerProcess;
  beforeAll(async () => {
    broker = await startBrokerProcess({ yaml: brokerYaml(UPSTREAM, { storage: { driver: 'memory' } }), environment });
  });
  afterAll(() => broker.stop('SIGKILL'));

  /** Opens a connection, drips into it, and answers after how long the other side had enough. */
  async function secondsUntilCut(first: string, drip: string): Promise<{ seconds: number; text: string }> {
    const socket = connect(Number(new URL(broker.origin).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const startedAtMs = performance.now();
    socket.write(first);
    const timer = setInterval(() => drip !== '' && socket.writable && socket.write(drip), 500);
    // Not by `once`: it takes a reset for a failure, and being cut under a write is one.
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(timer);
    return { seconds: (performance.now() - startedAtMs) / 1000, text };
  }

  const head = 'POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n';

  it('slow headers, slow bodies, endless headers and silence are cut within 15 s, all at once', {
    timeout: 30_000,
  }, async () => {
    const cuts = await Promise.all([
      secondsUntilCut('POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'X-Drip: 1\r\n'),
      secondsUntilCut(`${head}Content-Length: 5000\r\n\r\n`, 'a'),
      secondsUntilCut(`${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'),
      secondsUntilCut('POST /to', ''),
      secondsUntilCut(
        `POST /device HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\n`,
        'a',
      ),
    ]);
    for (const { seconds, text } of cuts) {
      expect(seconds).toBeLessThan(15);
      expect(text).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
    }
  });

  it('an endless body is refused at 8 KiB and cut', async () => {
    const { seconds, text } = await secondsUntilCut(
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      `2000\r\n${'x'.repeat(0x2000)}\r\n`,
    );
    expect(answerIn(text)).toMatchObject({ status: 400, headers: { connection: 'close' } });
    expect(seconds).toBeLessThan(15);
  });

  it('a head of more than 16 KiB is refused', async () => {
    for (const length of [20_000, 100_000]) {
      const text = await rawHttp(
        broker.origin,
        `GET /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ${'x'.repeat(length)}\r\n\r\n`,
      );
      const { status, headers } = answerIn(text);
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        431,
        'application/json',
        'no-store',
      ]);
    }
  });

  it('a body of 100 000 names costs nothing worth having', async () => {
    const body = `client_id=build-cli&${Array.from({ length: 100_000 }, (_, n) => `k${n}=`).join('&')}`;
    const startedAtMs = performance.now();
    const text = await rawHttp(broker.origin, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(text).toMatch(/^$|^HTTP\/1\.1 400 /);
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });

  it('pipelined requests are answered each, in order', async () => {
    const form = 'client_id=build-cli';
    const start = `${head.replace('/token', '/device_authorization')}Content-Length: ${form.length}\r\n\r\n${form}`;
    const jwks = 'GET /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const text = await rawHttp(broker.origin, start + jwks + start + jwks + start, 1000);
    const bodies = text
      .split(/HTTP\/1\.1 200 OK\r\n/)
      .slice(1)
      .map((part) => part.split('\r\n\r\n')[1] ?? '');
    expect(bodies.map((body) => (body.includes('user_code') ? 'start' : 'keys'))).toEqual([
      'start',
      'keys',
      'start',
      'keys',
      'start',
    ]);
  });

  it('what is no HTTP gets 400 and no stack trace', async () => {
    for (const garbage of [
      '\0\0\0\0\r\n\r\n',
      'HELLO\r\n\r\n',
      'POST /token HTTP/9.9\r\n\r\n',
      'POST /token HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    ]) {
      const text = await rawHttp(broker.origin, garbage);
      expect(text).toMatch(/^HTTP\/1\.1 (400|505) /);
      expect(text).not.toMatch(/ at .*:\d+/);
    }
  });

  it('two lengths, or a length and chunks, are refused: nothing is smuggled', async () => {
    for (const lines of ['Content-Length: 5\r\nContent-Length: 6', 'Content-Length: 5\r\nTransfer-Encoding: chunked']) {
      expect(answerIn(await rawHttp(broker.origin, `${head}${lines}\r\n\r\n0\r\n\r\n`)).status).toBe(400);
    }
  });

  it('after all of that it still serves', async () => {
    expect((await fetch(`${broker.origin}/jwks`)).status).toBe(200);
    expect(broker.noise).toEqual([]);
    expect(broker.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
