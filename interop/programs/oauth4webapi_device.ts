/** A device with oauth4webapi, as its manual shows it. Says JSON lines. */
import { setTimeout as delay } from 'node:timers/promises';
import * as oauth from 'oauth4webapi';

const env = process.env as Record<string, string>;
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const insecure = { [oauth.allowInsecureRequests]: true };

try {
  const issuer = new URL(env['ISSUER'] ?? '');
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client: oauth.Client = { client_id: env['CLIENT_ID'] ?? '' };
  const none = oauth.None();
  const parameters = new URLSearchParams({ scope: env['SCOPE'] ?? '' });
  const asked = await oauth.deviceAuthorizationRequest(server, client, none, parameters, insecure);
  const start = await oauth.processDeviceAuthorizationResponse(server, client, asked);
  say({ code: start });
  let interval = start.interval ?? 5;
  let tokens: oauth.TokenEndpointResponse | undefined;
  while (tokens === undefined) {
    await delay(interval * 1000);
    const polled = await oauth.deviceCodeGrantRequest(server, client, none, start.device_code, insecure);
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
    const again = await oauth.refreshTokenGrantRequest(server, client, none, tokens.refresh_token ?? '', insecure);
    say({ refreshed: await oauth.processRefreshTokenResponse(server, client, again) });
  }
} catch (error) {
  say({ refused: `${(error as { error?: string }).error} ${String(error)}` });
  process.exitCode = 1;
}
