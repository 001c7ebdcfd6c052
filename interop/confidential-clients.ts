import { exportJWK, generateKeyPair } from 'jose';

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
