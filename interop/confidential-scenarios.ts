import type { ClientMethod } from './confidential-clients.ts';
import { type DeviceProgram, expectDevice } from './device-program.ts';
import { type DeviceDeps, deviceRun, SECRET } from './device-run.ts';
import type { Scenario } from './peer.ts';

/** A sign-in and a refresh by each method that the library has. */
export function confidentialScenarios(
  deps: DeviceDeps,
  program: DeviceProgram,
  methods: readonly ClientMethod[],
): Scenario[] {
  return methods.map((method) => ({
    name: method,
    limitSeconds: 40,
    async run() {
      const more = { AUTH_METHOD: method, PRIVATE_JWK: deps.privateJwk, STEPS: 'refresh' };
      const { events } = await deviceRun(deps, program, 'approve', { clientId: method, clientSecret: SECRET, more });
      const isDone = events.exitCode === 0 && events.tokens.length === 1 && events.refreshed.length === 1;
      expectDevice(events, isDone, 'no tokens, or no refreshed ones');
    },
  }));
}
