/**
 * `npm run dev`: the broker with config/demo.yaml, started again at every change of its code, views or configuration.
 * The OpenID provider that people sign in at runs here, so that it keeps who is signed in while the broker restarts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { loadConfig } from '../src/config/load-config.ts';

const FILE = 'config/demo.yaml';
const WATCHED = ['views/**', 'config/*.yaml'];

const { publicUrl, upstreams } = await loadConfig(FILE);
const [upstream] = upstreams;
if (upstream === undefined) throw new Error(`${FILE} has no upstream`);
const { port, hostname } = new URL(upstream.issuer);
await startEmbeddedUpstream({
  host: hostname,
  port: Number(port),
  displayName: upstream.displayName,
  clients: [{ clientId: upstream.clientId, redirectUris: [`${publicUrl}/callback/${upstream.id}`] }],
});
console.log(`${upstream.displayName} is at ${upstream.issuer}; press Enter to restart the broker, Ctrl-C to end`);

const tsx = createRequire(import.meta.url).resolve('tsx/cli');
const included = WATCHED.map((pattern) => `--include=${pattern}`);
const broker = spawn(
  process.execPath,
  [tsx, 'watch', '--clear-screen=false', ...included, 'src/main.ts', '--config', FILE],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => broker.kill(signal));
const [code] = (await once(broker, 'exit')) as [number | null];
process.exit(code ?? 0);
