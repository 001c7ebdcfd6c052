import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { approve } from '../demo/scripted-person.ts';

/** As an image has it; this file runs from below `.cache/bench`. */
const GATEHOUSE = fileURLToPath(new URL('../../../dist/cli/gatehouse.js', import.meta.url));
const TICKS_PER_SECOND = 100;

/** The polls of one sign-in before the last. */
export const POLLS = 6;

export interface BrokerAt {
  port: number;
  issuer: string;
  /** The memory driver where it is left out. */
  redisUrl?: string;
  /** Further keys of the client, and of the upstream, as YAML has them. */
  client?: string;
  upstream?: string;
  workers?: number;
}

/** The broker as it is run, with one client, `tv`, that nothing limits. */
export async function startBroker(at: BrokerAt) {
  const { port, redisUrl } = at;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const file = join(folder, 'gatehouse.yaml');
  writeFileSync(file, `${yaml(at)}${redisUrl === undefined ? '' : onRedis(folder, redisUrl)}`);
  const began = performance.now();
  const child = spawn(process.execPath, [GATEHOUSE, 'start', '--config', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const startedInMs = performance.now() - began;
  const origin = `http://127.0.0.1:${port}`;
  const cpuMs = () => cpuMsOf(child.pid ?? 0);
  return {
    startedInMs,
    origin,
    /** Answers the device code. */
    start: async () => (await post(`${origin}/device_authorization`, { client_id: 'tv' }, 200))['device_code'] ?? '',
    signIn: () => signIn(origin),
    refresh: (token: string) => refresh(origin, token),
    cpuMs,
    /** Processor time that one of `count` runs of `work` takes. */
    async cpuMsEach(count: number, work: () => Promise<unknown>): Promise<number> {
      const before = cpuMs();
      for (let n = 0; n < count; n += 1) await work();
      return (cpuMs() - before) / count;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Of a process and those that it has started, by the kernel's own account, in steps of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const own = ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, each) => sum + cpuMsOf(Number(each)), own);
}

function yaml({ port, issuer, client = '', upstream = '', workers = 1 }: BrokerAt): string {
  return `
workers: ${workers}
public_url: http://127.0.0.1:${port}
listen: { port: ${port} }
upstreams:
  corp: { issuer: "${issuer}", client_id: gatehouse, authentication: none, ${upstream} }
clients:
  tv: { name: TV, interval: 1s, scopes: { allowed: [openid, email], default: [openid, email] }, claims: [email], ${client} }
limits: { starts_per_source: 0, pending_per_source: 0, pending_per_client: 0, pending_total: 0, approvals_per_subject: 0 }
`;
}

function onRedis(folder: string, url: string): string {
  for (const kind of ['sealing', 'signing']) {
    execFileSync(process.execPath, [GATEHOUSE, 'keys', 'generate', kind, '--out', join(folder, kind)], {
      stdio: 'ignore',
    });
  }
  return `
storage: { driver: redis, redis: { url: "${url}" } }
keys: { sealing: [{ file: sealing }], signing: { file: signing } }
`;
}

type Answer = Record<string, string>;

async function post(address: string, parameters: Record<string, string>, expected: number): Promise<Answer> {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(parameters) });
  const body = (await response.json()) as Answer;
  if (response.status !== expected) throw new Error(`${address} answered ${response.status} ${body['error']}`);
  return body;
}

/** Start, polls, code, upstream, approval, tokens. Answers the refresh token. */
async function signIn(origin: string): Promise<string> {
  const started = await post(`${origin}/device_authorization`, { client_id: 'tv' }, 200);
  const poll = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: 'tv',
    device_code: started['device_code'] ?? '',
  };
  for (let n = 0; n < POLLS; n += 1) await post(`${origin}/token`, poll, 400);
  await approve(started['verification_uri'] ?? '', started['user_code'] ?? '', 'alice');
  return (await post(`${origin}/token`, poll, 200))['refresh_token'] ?? '';
}

/** Answers the next refresh token. */
async function refresh(origin: string, token: string): Promise<string> {
  const form = { grant_type: 'refresh_token', client_id: 'tv', refresh_token: token };
  return (await post(`${origin}/token`, form, 200))['refresh_token'] ?? '';
}
