import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { approve } from '../demo/scripted-person.ts';
import type { Row } from './poll-rows.ts';
import { freePort } from './redis-server.ts';

/** As an image has it; this file runs from below `.cache/bench`. */
const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const TICKS_PER_SECOND = 100;
const POLLS = 6;

/** The broker as it is run, on the memory driver. */
async function startProcess(yaml: string) {
  const file = join(tmpdir(), `gatehouse-bench-${process.pid}.yaml`);
  writeFileSync(file, yaml);
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, '--config', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  return {
    startedInMs: performance.now() - began,
    /** From the kernel's own account, in steps of 10 ms. */
    cpuMs() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(file);
    },
  };
}

function yaml(port: number, issuer: string): string {
  return `
public_url: http://127.0.0.1:${port}
listen: { port: ${port} }
upstreams: { corp: { issuer: "${issuer}", client_id: gatehouse, authentication: none } }
clients: { tv: { name: TV, interval: 1s, scopes: { allowed: [openid, email], default: [openid, email] }, claims: [email] } }
limits: { starts_per_source: 0, pending_per_source: 0, approvals_per_subject: 0 }
`;
}

/** Start-up, a whole sign-in, and connections that sit idle for longer than any interval. */
export async function signInRows(signIns: number, idleSeconds: number): Promise<Row[]> {
  const port = await freePort();
  const upstream = await startEmbeddedUpstream({
    port: 0,
    clients: [{ clientId: 'gatehouse', redirectUris: [`http://127.0.0.1:${port}/callback/corp`] }],
  });
  try {
    const rows: Row[] = [];
    const starts: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const started = await startProcess(yaml(port, upstream.issuer));
      starts.push(started.startedInMs);
      await started.stop();
    }
    const startMs = starts.sort((a, b) => a - b)[2] ?? Number.NaN;
    rows.push({
      what: 'start-up to listening, memory driver',
      measured: `${startMs.toFixed(0)} ms`,
      toReach: '≤ 400 ms',
      isReached: startMs <= 400,
    });

    const broker = await startProcess(yaml(port, upstream.issuer));
    const origin = `http://127.0.0.1:${port}`;
    for (let n = 0; n < 5; n += 1) await signIn(origin);
    const before = broker.cpuMs();
    for (let n = 0; n < signIns; n += 1) await signIn(origin);
    const each = (broker.cpuMs() - before) / signIns;
    const what = `a whole sign-in (start, ${POLLS} polls, code, upstream, approve, redeem), CPU of Gatehouse`;
    rows.push({ what, measured: `${each.toFixed(1)} ms`, toReach: '≤ 15 ms', isReached: each <= 15 });

    const connections = 40;
    const lost = await lostAfterIdle(port, connections, idleSeconds);
    const idle = `polls lost of ${connections} on connections that were idle for ${idleSeconds} s`;
    rows.push({ what: idle, measured: String(lost), toReach: '0', isReached: lost === 0 });
    await broker.stop();
    return rows;
  } finally {
    await upstream.close();
  }
}

async function signIn(origin: string): Promise<void> {
  const post = async (path: string, parameters: Record<string, string>) => {
    const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(parameters) });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const { body } = await post('/device_authorization', { client_id: 'tv' });
  const poll = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: 'tv',
    device_code: body['device_code'] ?? '',
  };
  for (let n = 0; n < POLLS; n += 1) await post('/token', poll);
  await approve(body['verification_uri'] ?? '', body['user_code'] ?? '', 'alice');
  const { status } = await post('/token', poll);
  if (status !== 200) throw new Error(`the last poll was answered with ${status}`);
}

/** How many keep-alive connections no longer answer a second request after a pause. */
async function lostAfterIdle(port: number, connections: number, idleSeconds: number): Promise<number> {
  const request = 'GET /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const answered = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, '127.0.0.1');
      const next = () =>
        new Promise<boolean>((resolve) => {
          socket.once('data', () => resolve(true));
          socket.once('close', () => resolve(false));
          socket.once('error', () => resolve(false));
          socket.write(request);
        });
      await next();
      await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
      const isAnswered = await next();
      socket.destroy();
      return isAnswered;
    }),
  );
  return answered.filter((isAnswered) => !isAnswered).length;
}
