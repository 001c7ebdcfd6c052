import { exportJWK, generateKeyPair } from 'jose';
import { type DeviceProgram, expectDevice } from './device-program.ts';
import { type DeviceDeps, deviceRun, SECRET } from './device-scenarios.ts';
import type { Scenario } from './peer.ts';

/** How a client with a secret or a key proves to be it (OpenID Connect Core §9). */
export type ClientMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

const METHODS: readonly ClientMethod[] = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** A client for each, pinned to it, which must also start as itself. */
export async function confidentialClients(usual: object) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const named = { kid: 'device', alg: 'ES256', use: 'sig' };
  const proof = (method: ClientMethod) =>
    method === 'private_key_jwt'
      ? exportJWK(publicKey).then((key) => ({ jwks: { keys: [{ ...key, ...named }] } }))
      : { client_secret: { env: 'DEVICE_SECRET' } };
  const clients = METHODS.map(async (method) => [
    method,
    { ...usual, name: `Robot by ${method}`, authentication: method, ...(await proof(method)) },
  ]);
  return {
    clients: Object.fromEntries(await Promise.all(clients)) as Record<ClientMethod, object>,
    privateJwk: JSON.stringify({ ...(await exportJWK(privateKey)), ...named }),
  };
}

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
