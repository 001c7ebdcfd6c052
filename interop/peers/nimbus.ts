import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceGround, deviceScenarios } from '../device-scenarios.ts';
import { javaProgram } from '../obtain/java.ts';
import type { Peer } from '../peer.ts';

export const nimbus: Peer = {
  name: 'nimbus',
  kind: 'client',
  from: 'Maven Central oauth2-oidc-sdk',
  limitSeconds: 240,
  async open() {
    const program = await javaProgram('nimbus', 'Device');
    const ground = await deviceGround();
    return {
      version: await program.version('oauth2-oidc-sdk'),
      scenarios: [
        ...deviceScenarios(ground, program),
        ...confidentialScenarios(ground, program, ['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      ],
      close: () => ground.close(),
    };
  },
};
