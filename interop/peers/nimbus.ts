import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { javaProgram } from '../obtain/java.ts';
import type { Peer } from '../peer.ts';

export const nimbus: Peer = {
  name: 'nimbus',
  kind: 'client',
  from: 'Maven Central oauth2-oidc-sdk',
  limitSeconds: 240,
  async open() {
    const program = await javaProgram('nimbus', 'Device');
    const deps = await deviceDeps();
    return {
      version: await program.version('oauth2-oidc-sdk'),
      scenarios: [
        ...deviceScenarios(deps, program),
        ...confidentialScenarios(deps, program, ['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      ],
      close: () => deps.close(),
    };
  },
};
