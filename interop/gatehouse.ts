import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchFrom, startProxyNginx } from '../test/support/proxy-nginx.ts';
import { freePort } from './obtain/free-port.ts';
import { lastLines, type Program, startProgram } from './program.ts';
import { type SlowProxy, slowProxy } from './slow-proxy.ts';

type Section = Record<string, unknown>;

export interface GatehouseOptions {
  /** Told the address that Gatehouse will have, since upstreams want to know redirect URIs first. */
  yaml: (publicUrl: string) => Section | Promise<Section>;
  secrets?: Readonly<Record<string, string>>;
  /** nginx in front, which ends TLS with a certificate made now and has Gatehouse below a path. */
  isHttps?: boolean;
  /** The path that it has then. */
  below?: string;
}

/** A Gatehouse as it is run: a process, a file, the memory driver. What comes to it can be made slow on the way. */
export interface Gatehouse {
  publicUrl: string;
  network: SlowProxy;
  /** What people's browsers use: it trusts the certificate, where there is one. */
  fetch: typeof fetch;
  /** The certificate's file, for programs that are told whom to trust. */
  caFile: string;
  /** The lines that it logged, parsed. */
  events(name?: string): LoggedEvent[];
  /** The first of that name, which may still be on its way to us; `undefined` when it does not come. */
  event(name: string): Promise<LoggedEvent | undefined>;
  /** `gatehouse check --probe` on the same file. */
  probe(): Promise<{ exitCode: number; output: string }>;
  close(): Promise<void>;
}

export type LoggedEvent = Record<string, unknown> & { event: string };

const COMMAND = [process.execPath, '--import', 'tsx', new URL('../src/cli/gatehouse.ts', import.meta.url).pathname];

export async function startGatehouse(options: GatehouseOptions): Promise<Gatehouse> {
  // msal takes no issuer without a path.
  const { yaml, secrets = {}, isHttps = false, below = '/gate' } = options;
  const port = await freePort();
  const network = await slowProxy(() => port);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-interop-'));
  const forward = `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;
  const location = `location ${below}/ { proxy_pass http://127.0.0.1:${network.port}/; ${forward} }`;
  const nginx = isHttps ? await startProxyNginx(await freePort(), location) : undefined;
  const publicUrl = nginx !== undefined ? nginx.origin + below : `http://127.0.0.1:${network.port}`;
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, nginx?.certificate ?? '');
  const file = join(folder, 'gatehouse.yaml');
  const environment = { ...secrets, SEALING_KEY: randomBytes(32).toString('base64url'), NODE_NO_WARNINGS: '1' };
  const usual = {
    public_url: publicUrl,
    listen: { port },
    trusted_proxies: isHttps ? ['127.0.0.1/32'] : [],
    storage: { driver: 'memory' },
    limits: { starts_per_source: 0, approvals_per_subject: 0, pending_per_source: 0 },
    log: { level: 'debug' },
    drain: '0s',
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ ...usual, ...(await yaml(publicUrl)) }));
  const log: LoggedEvent[] = [];
  const { program, ready } = start([...COMMAND, 'start', '--config', file], environment, log);
  await ready;
  return {
    publicUrl,
    network,
    caFile,
    fetch: fetchFrom('127.0.0.1', nginx?.certificate ?? ''),
    events: (name) => (name === undefined ? log : log.filter(({ event }) => event === name)),
    event: async (name) => {
      const find = () => log.find(({ event }) => event === name);
      for (let wait = 0; wait < 50 && find() === undefined; wait += 1) await delay(100);
      return find();
    },
    probe: async () => {
      const asked = startProgram([...COMMAND, 'check', '--probe', '--config', file], { environment });
      const exitCode = await asked.exited;
      await asked.stop();
      return { exitCode, output: asked.output() };
    },
    close: async () => {
      await program.stop();
      await nginx?.stop();
      await network.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function start(command: readonly string[], environment: Record<string, string>, log: LoggedEvent[]) {
  let isReady: () => void = () => {};
  let failed: (error: Error) => void = () => {};
  const ready = new Promise<void>((resolve, reject) => {
    isReady = resolve;
    failed = reject;
  });
  const program: Program = startProgram(command, {
    environment,
    onLine(line) {
      if (line.startsWith('Gatehouse is ready')) isReady();
      else if (line.startsWith('{')) log.push(JSON.parse(line) as LoggedEvent);
    },
  });
  void program.exited.then(() => failed(new Error(`gatehouse start ended: ${lastLines(program.output(), 10)}`)));
  return { program, ready };
}
