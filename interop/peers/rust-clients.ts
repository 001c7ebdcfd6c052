import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { rustPrograms } from '../obtain/cargo.ts';
import type { Peer } from '../peer.ts';

function rustClient(crate: string): Peer {
  return {
    name: crate,
    kind: 'client',
    from: 'crates.io',
    limitSeconds: 900,
    async open() {
      const programs = await rustPrograms();
      const deps = await deviceDeps();
      const device = { command: [programs.file(crate)] };
      return {
        version: programs.crate(crate),
        scenarios: [
          ...deviceScenarios(deps, device),
          ...confidentialScenarios(deps, device, ['client_secret_basic', 'client_secret_post']),
        ],
        close: () => deps.close(),
      };
    },
  };
}

export const oauth2Crate = rustClient('oauth2');
export const openidconnectCrate = rustClient('openidconnect');
