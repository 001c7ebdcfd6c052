import { deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { javaProgram } from '../obtain/java.ts';
import type { Peer } from '../peer.ts';

export const scribejava: Peer = {
  name: 'scribejava',
  kind: 'client',
  from: 'Maven Central scribejava-core',
  limitSeconds: 240,
  async open() {
    const program = await javaProgram('scribejava', 'Device');
    const deps = await deviceDeps();
    return {
      version: await program.version('scribejava-core'),
      scenarios: deviceScenarios(deps, program),
      close: () => deps.close(),
    };
  },
};
