import { keycloakVersion, startKeycloak } from '../keycloak/keycloak.ts';
import { HELM_VERSION, helmProgram } from '../obtain/helm.ts';
import { systemProgram } from '../obtain/system-program.ts';
import { check, type Peer } from '../peer.ts';
import { runProgram } from '../program.ts';
import { packageSteps } from '../readme-steps.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** `npm run demo -- --keycloak`, with the person played by a script: it starts a Keycloak of its own. */
export const keycloakDemo: Peer = {
  name: 'demo',
  kind: 'tool',
  from: 'Maven Central keycloak',
  // With a cold cache it brings Keycloak and builds it.
  limitSeconds: 600,
  async open() {
    await systemProgram('java', 'default-jre-headless');
    return {
      version: await keycloakVersion(),
      scenarios: [
        {
          name: 'npm run demo -- --keycloak',
          limitSeconds: 180,
          async run() {
            const demo = [process.execPath, '--import', 'tsx', 'demo/demo.ts', '--keycloak', '--auto', '--port', '0'];
            const said = await runProgram(demo, { cwd: ROOT, environment: { NODE_NO_WARNINGS: '1' } });
            check(said.includes('The access token is verified'), `no verified token: ${said.slice(-600)}`);
          },
        },
      ],
      close: async () => {},
    };
  },
};

/** The packed package on a machine that has Node alone, with the README's steps. */
export const gatehousePackage: Peer = {
  name: 'package',
  kind: 'tool',
  from: 'npm pack, with Maven Central keycloak',
  limitSeconds: 600,
  async open() {
    const server = await startKeycloak();
    return {
      version: await keycloakVersion(),
      scenarios: [packageSteps(server)],
      keeps: () => [server.program()],
      close: () => server.stop(),
    };
  },
};

/** The chart, linted and rendered by helm, and what comes of it judged by the chart's tests. */
export const helmChart: Peer = {
  name: 'helm',
  kind: 'tool',
  from: 'Go proxy helm.sh/helm/v3',
  limitSeconds: 900,
  async open() {
    await helmProgram();
    return {
      version: HELM_VERSION,
      scenarios: [
        {
          name: 'npm run chart',
          limitSeconds: 180,
          async run() {
            await runProgram([process.execPath, '--import', 'tsx', 'scripts/check-chart.ts'], { cwd: ROOT });
          },
        },
      ],
      close: async () => {},
    };
  },
};
