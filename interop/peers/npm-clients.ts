import { readFile } from 'node:fs/promises';
import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { npmPackages } from '../obtain/npm.ts';
import type { Peer } from '../peer.ts';

/** They are here already: the broker and the tests stand on them. */
function npmClient(name: string, program: string): Peer {
  return {
    name,
    kind: 'client',
    from: 'npm',
    limitSeconds: 60,
    async open() {
      const deps = await deviceDeps();
      const file = new URL(`../programs/${program}`, import.meta.url).pathname;
      const device = { command: [process.execPath, '--import', 'tsx', file] };
      const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
      return {
        version: (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version,
        scenarios: [
          ...deviceScenarios(deps, device),
          ...confidentialScenarios(deps, device, ['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
        ],
        close: () => deps.close(),
      };
    },
  };
}

export const openidClient = npmClient('openid-client', 'openid_client_device.ts');
export const oauth4webapi = npmClient('oauth4webapi', 'oauth4webapi_device.ts');

export const msalNode: Peer = {
  ...{ name: 'msal-node', kind: 'client', from: 'npm @azure/msal-node', limitSeconds: 120 },
  async open() {
    const { folder, version } = await npmPackages('msal-node', ['@azure/msal-node@7.2.3']);
    const deps = await deviceDeps({ compatibility: { microsoft: true } }, true, '/corp/v2.0');
    const file = new URL('../programs/msal_node_device.mjs', import.meta.url).pathname;
    const environment = { MODULES: folder, NODE_EXTRA_CA_CERTS: deps.gatehouse.caFile };
    const device = { command: [process.execPath, file], environment };
    return {
      version: await version('@azure/msal-node'),
      scenarios: deviceScenarios(deps, device),
      close: () => deps.close(),
    };
  },
};
