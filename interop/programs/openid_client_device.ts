/** A device with openid-client 6, as its manual shows it. Says JSON lines. */
import * as client from 'openid-client';

const env = process.env as Record<string, string>;
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

try {
  const config = await client.discovery(
    new URL(env['ISSUER'] ?? ''),
    env['CLIENT_ID'] ?? '',
    undefined,
    client.None(),
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
