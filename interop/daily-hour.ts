/**
 * kubectl, git and curl by day: bursts of twenty at once, for as long as is asked, with tokens that live two minutes and
 * refresh tokens that are good once. `npx tsx interop/daily-hour.ts --minutes 60`; without, one minute with tokens of 10 s.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startRotatingServer } from '../test/support/broker/rotating-server.ts';

const run = promisify(execFile);
const CALLERS = 20;
const USUAL = fileURLToPath(new URL('../dist/cli/gatehouse.js', import.meta.url));

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    'token-seconds': { type: 'string' },
    'pause-seconds': { type: 'string', default: '10' },
    gatehouse: { type: 'string', default: USUAL },
  },
});
const minutes = Number(values.minutes);
const accessSeconds = Number(values['token-seconds'] ?? (minutes >= 10 ? 120 : 10));
const server = await startRotatingServer({ accessSeconds, refreshMs: 200 });
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-day-'));
const environment = { ...process.env, XDG_STATE_HOME: folder, HOME: folder, GIT_TERMINAL_PROMPT: '0' };
const [node, gatehouse] = [process.execPath, values.gatehouse];
const TOKEN = ['token', '--profile', 'day', '--min-valid', `${Math.min(30, Math.floor(accessSeconds / 4))}s`];

async function curl(): Promise<void> {
  const header = `"$(${node} ${gatehouse} ${TOKEN.join(' ')} --format header)"`;
  await run('sh', ['-c', `curl --fail --silent --show-error -H ${header} ${server.issuer}/api`], { env: environment });
}

async function git(): Promise<void> {
  const helper = `!${node} ${gatehouse} ${TOKEN.join(' ')} --format git --for ${server.host}`;
  const args = ['-c', `credential.helper=${helper}`, 'ls-remote', `${server.issuer}/team.git`];
  const { stdout } = await run('git', args, { env: environment });
  if (!stdout.includes('refs/heads/main')) throw new Error(`git saw nothing: ${stdout}`);
}

async function kubectl(): Promise<void> {
  const { stdout } = await run('kubectl', ['--kubeconfig', join(folder, 'kube'), 'auth', 'whoami'], {
    env: environment,
  });
  if (!stdout.includes('alice')) throw new Error(`kubectl saw nobody: ${stdout}`);
}

const kubeConfig = {
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'day' },
  clusters: [{ name: 'day', cluster: { server: server.secureOrigin, 'insecure-skip-tls-verify': true } }],
  contexts: [{ name: 'day', context: { cluster: 'day', user: 'day' } }],
  users: [
    {
      name: 'day',
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: node,
          args: [gatehouse, ...TOKEN, '--format', 'kubectl'],
          interactiveMode: 'IfAvailable',
        },
      },
    },
  ],
};

const tools = [curl, curl, git, kubectl];
const failures: string[] = [];
let calls = 0;
try {
  await writeFile(join(folder, 'kube'), JSON.stringify(kubeConfig));
  const login = [gatehouse, 'login', '--profile', 'day', '--issuer', server.issuer, '--client-id', 'day', '--plain'];
  await run(node, login, { env: environment });
  const endMs = Date.now() + minutes * 60_000;
  while (Date.now() < endMs) {
    const burst = Array.from({ length: CALLERS }, async (_, index) => {
      const tool = tools[index % tools.length] ?? curl;
      calls += 1;
      try {
        await tool();
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${tool.name}: ${(error as Error).message}`);
      }
    });
    await Promise.all(burst);
    await delay(Math.min(Number(values['pause-seconds']) * 1000, Math.max(0, endMs - Date.now())));
  }
} finally {
  await server.close();
  await rm(folder, { recursive: true, force: true });
}
const { refreshes, mostAtOnce, reused, refused, served } = server.seen;
console.log(
  JSON.stringify({
    minutes,
    accessSeconds,
    calls,
    served,
    failures: failures.length,
    refreshes,
    mostAtOnce,
    reused,
    refused,
  }),
);
for (const failure of failures.slice(0, 20)) console.log(failure);
process.exitCode = failures.length === 0 && reused === 0 && mostAtOnce <= 1 ? 0 : 1;
