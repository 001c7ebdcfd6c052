/** A device with openid-client 6, as its manual shows it. Says JSON lines. */
import { type CryptoKey, importJWK, type JWK } from 'jose';
import * as client from 'openid-client';

const env = process.env as Record<string, string>;
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** With a secret or a key it proves to be the client. */
async function authentication(): Promise<client.ClientAuth> {
  const secret = env['CLIENT_SECRET'] ?? '';
  if (env['AUTH_METHOD'] === 'client_secret_basic') return client.ClientSecretBasic(secret);
  if (env['AUTH_METHOD'] === 'client_secret_post') return client.ClientSecretPost(secret);
  if (env['AUTH_METHOD'] !== 'private_key_jwt') return client.None();
  const jwk = JSON.parse(env['PRIVATE_JWK'] ?? '') as JWK;
  return client.PrivateKeyJwt({ key: (await importJWK(jwk)) as CryptoKey, kid: jwk.kid ?? '' });
}

try {
  const config = await client.discovery(
    new URL(env['ISSUER'] ?? ''),
    env['CLIENT_ID'] ?? '',
    undefined,
    await authentication(),
    {
      execute: [client.allowInsecureRequests],
    },
  );
  const start = await client.initiateDeviceAuthorization(config, { scope: env['SCOPE'] ?? '' });
  say({ code: start });
  const tokens = await client.pollDeviceAuthorizationGrant(config, start);
  say({ tokens });
  if (env['STEPS'] === 'refresh') {
    say({ refreshed: await client.refreshTokenGrant(config, tokens.refresh_token ?? '') });
  }
} catch (error) {
  say({ refused: `${(error as { error?: string }).error} ${String(error)}` });
  process.exitCode = 1;
}
