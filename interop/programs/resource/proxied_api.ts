/** What stands before an API, with its file of deploy/, the API itself, and one request: told by the environment, says JSON lines. */
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { findNginx } from '../../../test/support/nginx.ts';
import { freePort } from '../../obtain/free-port.ts';
import { type Program, startProgram } from '../../program.ts';

const DEPLOYED = new URL('../../../deploy/', import.meta.url).pathname;
const environment = (name: string) => process.env[name] ?? '';
const issuer = environment('ISSUER');

type Start = (folder: string, port: number, apiPort: number) => Promise<Program>;

const nginx: Start = async (folder, port, apiPort) => {
  await cp(join(DEPLOYED, 'nginx/resource-server'), folder, { recursive: true });
  const basic = Buffer.from(`api:${environment('API_SECRET')}`).toString('base64');
  const site = (await readFile(join(folder, 'api.conf'), 'utf8'))
    .replace('127.0.0.1:8443', `127.0.0.1:${port}`)
    .replace('YXBpOnRoZSBzZWNyZXQ=', basic)
    .replace('https://login.example.com', issuer)
    .replace('127.0.0.1:9000', `127.0.0.1:${apiPort}`);
  await writeFile(join(folder, 'api.conf'), site);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `load_module ${environment('NJS')}; daemon off; master_process off; pid ${folder}/pid; error_log stderr warn;
    events {} http { ${temporary.join(' ')} access_log off; include api.conf; }`,
  );
  return startProgram([await findNginx(), '-p', folder, '-c', 'nginx.conf', '-e', 'stderr']);
};

const envoy: Start = async (folder, port, apiPort) => {
  const text = (await readFile(join(DEPLOYED, 'envoy/envoy.yaml'), 'utf8'))
    .replaceAll('https://login.example.com', issuer)
    .replace('port_value: 8443', `port_value: ${port}`)
    .replace('port_value: 9000', `port_value: ${apiPort}`)
    .replace('address: login.example.com, port_value: 443', `address: 127.0.0.1, port_value: ${new URL(issuer).port}`);
  const config = parse(text) as { static_resources: { clusters: Record<string, unknown>[] } };
  // Without TLS, as here on loopback.
  for (const cluster of config.static_resources.clusters) delete cluster['transport_socket'];
  await writeFile(join(folder, 'envoy.yaml'), stringify(config));
  return startProgram([environment('ENVOY'), '-c', join(folder, 'envoy.yaml'), '--disable-hot-restart', '-l', 'warn']);
};

const api = createServer((request, response) => {
  response.end(String(request.headers['x-subject'] ?? ''));
}).listen(0, '127.0.0.1');
await once(api, 'listening');
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-api-'));
const port = await freePort();
const start = environment('PROXY') === 'envoy' ? envoy : nginx;
const proxy = await start(folder, port, (api.address() as AddressInfo).port);
try {
  const answer = await asked(port, proxy);
  const said = answer.status === 200 ? { taken: await answer.text() } : { refused: `status ${answer.status}` };
  console.log(JSON.stringify(said), answer.status === 401 || answer.status === 200 ? '' : proxy.output());
} catch (error) {
  console.log(String(error), proxy.output());
} finally {
  await proxy.stop();
  api.close();
  await rm(folder, { recursive: true, force: true });
}

/** A caller says who they are; what the API reads must be what the token says. */
async function asked(port: number, proxy: Program): Promise<Response> {
  const headers = { authorization: `Bearer ${environment('TOKEN')}`, 'x-subject': 'somebody else' };
  for (let tries = 0; tries < 200 && !proxy.hasExited(); tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers }).catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it does not listen');
}
