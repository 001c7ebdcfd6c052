import { describe, expect, it } from 'vitest';
import { calledMetadata, discoveryAddress } from '../../../src/upstream/requests/back-channel.ts';

const PUBLISHED = {
  issuer: 'https://sso.example.com/realms/corp',
  authorization_endpoint: 'https://sso.example.com/auth',
  token_endpoint: 'https://sso.example.com/token?tenant=corp',
  jwks_uri: 'https://keys.example.net/jwks',
  userinfo_endpoint: 'https://sso.example.com/userinfo',
  end_session_endpoint: 'https://sso.example.com/logout',
};

describe('where the provider’s document is', () => {
  it.each([
    ['https://sso.example.com', {}, 'https://sso.example.com/.well-known/openid-configuration'],
    ['https://sso.example.com/', {}, 'https://sso.example.com/.well-known/openid-configuration'],
    ['https://sso.example.com/a', {}, 'https://sso.example.com/a/.well-known/openid-configuration'],
    [
      'https://sso.example.com/a',
      { backChannel: 'http://127.0.0.1:81' },
      'http://127.0.0.1:81/a/.well-known/openid-configuration',
    ],
    [
      'https://tenant.b2clogin.example/guid/v2.0/',
      {
        endpoints: { discovery: 'https://tenant.b2clogin.example/corp/policy/metadata?p=x' },
        backChannel: 'https://x',
      },
      'https://tenant.b2clogin.example/corp/policy/metadata?p=x',
    ],
  ])('%s, %j', (issuer, { endpoints = {}, ...rest }: { endpoints?: object; backChannel?: string }, address) => {
    expect(discoveryAddress(issuer, { endpoints, ...rest })).toBe(address);
  });
});

describe('the document as it is used', () => {
  it('is the published one where nothing is said', () => {
    expect(calledMetadata(PUBLISHED, { endpoints: {} })).toEqual({
      ...PUBLISHED,
      published_token_endpoint: PUBLISHED.token_endpoint,
    });
  });

  it('has another origin for all that we call, and none for what the browser sees', () => {
    expect(calledMetadata(PUBLISHED, { backChannel: 'https://keycloak.svc:8443', endpoints: {} })).toEqual({
      issuer: PUBLISHED.issuer,
      authorization_endpoint: PUBLISHED.authorization_endpoint,
      end_session_endpoint: PUBLISHED.end_session_endpoint,
      token_endpoint: 'https://keycloak.svc:8443/token?tenant=corp',
      published_token_endpoint: PUBLISHED.token_endpoint,
      jwks_uri: 'https://keycloak.svc:8443/jwks',
      userinfo_endpoint: 'https://keycloak.svc:8443/userinfo',
    });
  });

  it('has each stated address as it is stated, also where the document has none', () => {
    const endpoints = { userinfo: 'https://graph.example.com/me', revocation: 'https://sso.example.com/revoke' };
    const called = calledMetadata(PUBLISHED, { backChannel: 'https://keycloak.svc:8443', endpoints });
    expect(called).toMatchObject({ userinfo_endpoint: endpoints.userinfo, revocation_endpoint: endpoints.revocation });
  });

  it('leaves alone what is no address', () => {
    const odd = { ...PUBLISHED, jwks_uri: 'keys', revocation_endpoint: 7 } as unknown as typeof PUBLISHED;
    expect(calledMetadata(odd, { backChannel: 'https://keycloak.svc', endpoints: {} })).toMatchObject({
      jwks_uri: 'keys',
      revocation_endpoint: 7,
    });
  });
});
