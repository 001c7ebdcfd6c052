/** A device with oauth4webapi, as its manual shows it. Says JSON lines. */
import { setTimeout as delay } from 'node:timers/promises';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';

const env = process.env as Record<string, string>;
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const insecure = { [oauth.allowInsecureRequests]: true };

/** With a secret or a key it proves to be the client. */
async function authentication(): Promise<oauth.ClientAuth> {
  const secret = env['CLIENT_SECRET'] ?? '';
  if (env['AUTH_METHOD'] === 'client_secret_basic') return oauth.ClientSecretBasic(secret);
  if (env['AUTH_METHOD'] === 'client_secret_post') return oauth.ClientSecretPost(secret);
  if (env['AUTH_METHOD'] !== 'private_key_jwt') return oauth.None();
  const jwk = JSON.parse(env['PRIVATE_JWK'] ?? '') as JWK;
  return oauth.PrivateKeyJwt({ key: (await importJWK(jwk)) as CryptoKey, kid: jwk.kid ?? '' });
}

try {
  const issuer = new URL(env['ISSUER'] ?? '');
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client: oauth.Client = { client_id: env['CLIENT_ID'] ?? '' };
  const proof = await authentication();
  const parameters = new URLSearchParams({ scope: env['SCOPE'] ?? '' });
  const asked = await oauth.deviceAuthorizationRequest(server, client, proof, parameters, insecure);
  const start = await oauth.processDeviceAuthorizationResponse(server, client, asked);
  say({ code: start });
  let interval = start.interval ?? 5;
  let tokens: oauth.TokenEndpointResponse | undefined;
  while (tokens === undefined) {
    await delay(interval * 1000);
    const polled = await oauth.deviceCodeGrantRequest(server, client, proof, start.device_code, insecure);
    try {
      tokens = await oauth.processDeviceCodeResponse(server, client, polled);
    } catch (error) {
      if (!(error instanceof oauth.ResponseBodyError)) throw error;
      if (error.error === 'slow_down') interval += 5;
      else if (error.error !== 'authorization_pending') throw error;
    }
  }
  say({ tokens });
  if (env['STEPS'] === 'refresh') {
    const again = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token ?? '', insecure);
    say({ refreshed: await oauth.processRefreshTokenResponse(server, client, again) });
  }
} catch (error) {
  say({ refused: `${(error as { error?: string }).error} ${String(error)}` });
  process.exitCode = 1;
}
