import fc from 'fast-check';
import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { BufferedResponse } from '../../../src/upstream/requests/buffered-response.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const bytes = (text: string) => new TextEncoder().encode(text);
const settled = (work: Promise<unknown>) =>
  work.then(
    (value) => ({ value }),
    () => 'rejected',
  );

describe('an answer that was read', () => {
  it('says what a Response over the same bytes says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json().map(bytes),
          fc.uint8Array(),
          fc.constantFrom('', '\ufeff{"a":1}', '{"__proto__":{"a":1}}', '[1]', 'null', '{"a":').map(bytes),
        ),
        async (body) => {
          const ours = new BufferedResponse(body, { status: 200, headers: JSON_TYPE });
          const real = () => new Response(body, { status: 200, headers: JSON_TYPE });
          expect(await ours.text()).toBe(await real().text());
          expect(await settled(ours.json())).toEqual(await settled(real().json()));
        },
      ),
    );
  });

  it('reads headers as a Response does, whatever the case of their names', () => {
    const headers = { 'www-authenticate': ['Basic realm="a"', 'DPoP'], 'content-type': 'text/html' };
    const ours = new BufferedResponse('', { status: 401, headers });
    expect(ours.headers.get('WWW-Authenticate')).toBe('Basic realm="a", DPoP');
    expect(ours.headers.get('Content-Type')).toBe('text/html');
    expect(ours.headers.get('dpop-nonce')).toBeNull();
    expect(ours.with({ headers: { 'www-authenticate': undefined } }).headers.get('www-authenticate')).toBeNull();
  });

  it('gives its object to each reader anew, since openid-client changes what it is given', async () => {
    const ours = new BufferedResponse('', { status: 200, headers: JSON_TYPE }).with({ body: { token_type: 'Bearer' } });
    Object.assign((await ours.json()) as object, { token_type: 'bearer' });
    expect(await ours.json()).toEqual({ token_type: 'Bearer' });
    expect(await ours.text()).toBe('{"token_type":"Bearer"}');
  });
});

describe('openid-client takes it for a Response', () => {
  const server = {
    issuer: 'https://sso.example.com',
    token_endpoint: 'https://sso.example.com/token',
    userinfo_endpoint: 'https://sso.example.com/userinfo',
    revocation_endpoint: 'https://sso.example.com/revoke',
  };
  const asked = (body: string, status = 200, headers: Record<string, string> = JSON_TYPE) => {
    const config = new oidc.Configuration(server, 'gatehouse', undefined, oidc.None());
    config[oidc.customFetch] = async () =>
      new BufferedResponse(bytes(body), { status, headers }) as unknown as Response;
    return config;
  };

  it('where it answers', async () => {
    const tokens = await oidc.refreshTokenGrant(asked('{"access_token":"a","token_type":"Bearer"}'), 'r');
    expect(tokens).toMatchObject({ access_token: 'a', token_type: 'bearer' });
    expect(await oidc.fetchUserInfo(asked('{"sub":"alice"}'), 'a', 'alice')).toEqual({ sub: 'alice' });
    await expect(oidc.tokenRevocation(asked('', 200, {}), 't')).resolves.toBeUndefined();
  });

  it.each([
    ['an error', asked('{"error":"invalid_grant"}', 400), { error: 'invalid_grant', status: 400 }],
    [
      'a challenge',
      asked('{}', 401, { 'www-authenticate': 'Basic realm="a", error="invalid_client"' }),
      { status: 401, code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' },
    ],
    ['no JSON', asked('<html>', 400, { 'content-type': 'text/html' }), { cause: { status: 400 } }],
  ])('where it refuses, with %s', async (_, config, expected) => {
    await expect(oidc.refreshTokenGrant(config, 'r')).rejects.toMatchObject(expected);
  });
});
