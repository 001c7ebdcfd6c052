import { deviceGround, deviceScenarios } from '../device-scenarios.ts';
import { rustPrograms } from '../obtain/cargo.ts';
import type { Peer } from '../peer.ts';

function rustClient(crate: string): Peer {
  return {
    name: crate,
    kind: 'client',
    from: 'crates.io',
    limitSeconds: 420,
    async open() {
      const programs = await rustPrograms();
      const ground = await deviceGround();
      return {
        version: programs.crate(crate),
        scenarios: deviceScenarios(ground, { command: [programs.file(crate)] }),
        close: () => ground.close(),
      };
    },
  };
}

export const oauth2Crate = rustClient('oauth2');
export const openidconnectCrate = rustClient('openidconnect');
