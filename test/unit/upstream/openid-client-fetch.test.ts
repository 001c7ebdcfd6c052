import * as oidc from 'openid-client';
import { expect, it } from 'vitest';

/**
 * What the adapter relies on: openid-client takes the configuration's `fetch` before it first waits for anything. All
 * operations share one configuration, and each must keep its own deadline.
 */
const server = {
  issuer: 'https://sso.example.com',
  authorization_endpoint: 'https://sso.example.com/authorize',
  pushed_authorization_request_endpoint: 'https://sso.example.com/par',
  token_endpoint: 'https://sso.example.com/token',
  userinfo_endpoint: 'https://sso.example.com/userinfo',
  revocation_endpoint: 'https://sso.example.com/revoke',
};

const requests: Record<string, (config: oidc.Configuration) => Promise<unknown>> = {
  authorizationCodeGrant: (config) =>
    oidc.authorizationCodeGrant(config, new URL('https://gatehouse.example.com/callback?code=c&state=s'), {
      expectedState: 's',
      pkceCodeVerifier: 'v'.repeat(43),
    }),
  refreshTokenGrant: (config) => oidc.refreshTokenGrant(config, 'r'),
  fetchUserInfo: (config) => oidc.fetchUserInfo(config, 'a', oidc.skipSubjectCheck),
  tokenRevocation: (config) => oidc.tokenRevocation(config, 't'),
  genericGrantRequest: (config) => oidc.genericGrantRequest(config, 'refresh_token', {}),
  buildAuthorizationUrlWithPAR: (config) => oidc.buildAuthorizationUrlWithPAR(config, { scope: 'openid' }),
};

it.each(Object.keys(requests))('%s keeps the fetch that it began with', async (name) => {
  const config = new oidc.Configuration(server, 'gatehouse', undefined, oidc.None());
  const asked: string[] = [];
  const fetchAs = (turn: string) => async () => {
    asked.push(turn);
    return new Response('{}', { status: 400 });
  };
  config[oidc.customFetch] = fetchAs('first');
  const first = requests[name]?.(config);
  config[oidc.customFetch] = fetchAs('second');
  await expect(first).rejects.toThrow();
  expect(asked).toEqual(['first']);
});
