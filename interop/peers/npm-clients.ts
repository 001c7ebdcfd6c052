import { readFile } from 'node:fs/promises';
import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceGround, deviceScenarios } from '../device-scenarios.ts';
import type { Peer } from '../peer.ts';

/** They are here already: the broker and the tests stand on them. */
function npmClient(name: string, program: string): Peer {
  return {
    name,
    kind: 'client',
    from: 'npm',
    limitSeconds: 60,
    async open() {
      const ground = await deviceGround();
      const file = new URL(`../programs/${program}`, import.meta.url).pathname;
      const device = { command: [process.execPath, '--import', 'tsx', file] };
      const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
      return {
        version: (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version,
        scenarios: [
          ...deviceScenarios(ground, device),
          ...confidentialScenarios(ground, device, ['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
        ],
        close: () => ground.close(),
      };
    },
  };
}

export const openidClient = npmClient('openid-client', 'openid_client_device.ts');
export const oauth4webapi = npmClient('oauth4webapi', 'oauth4webapi_device.ts');
