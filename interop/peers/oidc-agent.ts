import { confidentialScenarios } from '../confidential-scenarios.ts';
import { deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { debianFiles } from '../obtain/debian.ts';
import { pythonProgram } from '../obtain/python.ts';
import type { Peer } from '../peer.ts';

const PACKAGES = [
  ...['oidc-agent-cli', 'liboidc-agent4', 'libcjson1', 'libmicrohttpd12', 'libqrencode4', 'libseccomp2'],
  ...['libsecret-1-0', 'libsodium23', 'libcurl4'],
];

export const oidcAgent: Peer = {
  name: 'oidc-agent',
  kind: 'client',
  from: 'Debian oidc-agent-cli',
  limitSeconds: 180,
  async open() {
    const agent = await debianFiles('oidc-agent', PACKAGES);
    const python = await pythonProgram();
    const deps = await deviceDeps({}, true);
    const program = {
      command: [python, new URL('../programs/oidc_agent_device.py', import.meta.url).pathname],
      environment: {
        BIN: agent.file('usr/bin'),
        CA_FILE: deps.gatehouse.caFile,
        LD_LIBRARY_PATH: agent.libraries,
      },
    };
    const told = { more: { SCOPE: 'openid profile offline_access' } };
    return {
      version: await agent.version('oidc-agent-cli'),
      scenarios: [
        ...deviceScenarios(deps, program, told),
        ...confidentialScenarios(deps, program, ['client_secret_basic']),
      ],
      close: () => deps.close(),
    };
  },
};
