import { describe, expect, it } from 'vitest';
import {
  type Abilities,
  type IssuerAddresses,
  metadataPaths,
  oauthMetadata,
  openidMetadata,
  standardAddresses,
} from '../../../src/oauth/metadata.ts';

const ALL: Abilities = {
  grantTypes: ['device_code', 'refresh_token'],
  clientAuthentication: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  introspectionAuthentication: ['client_secret_basic', 'private_key_jwt'],
  assertionAlgs: ['ES256', 'RS256'],
  dpopAlgs: ['ES256'],
  idTokenAlgs: ['RS256', 'ES256'],
  pkce: true,
  scopes: ['openid', 'packages:read'],
  claims: ['email', 'sub'],
};

describe('metadata (RFC 8414, OpenID Connect Discovery)', () => {
  it('names every endpoint and ability', () => {
    const at = standardAddresses('https://example.com/login');
    expect(oauthMetadata(at, ALL)).toEqual({
      issuer: 'https://example.com/login',
      device_authorization_endpoint: 'https://example.com/login/device_authorization',
      token_endpoint: 'https://example.com/login/token',
      jwks_uri: 'https://example.com/login/jwks',
      revocation_endpoint: 'https://example.com/login/revoke',
      introspection_endpoint: 'https://example.com/login/introspect',
      userinfo_endpoint: 'https://example.com/login/userinfo',
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256'],
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
      introspection_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256'],
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: ['ES256'],
      scopes_supported: ['openid', 'packages:read'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      claims_supported: [...['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'at_hash', 'sid'], 'email'],
    });
  });

  it('has the same in both documents, but for what an OpenID document is refused without', () => {
    const at = standardAddresses('https://login.example.com');
    expect(openidMetadata(at, ALL)).toEqual({
      ...oauthMetadata(at, ALL),
      authorization_endpoint: 'https://login.example.com/device',
      response_types_supported: ['none'],
      request_uri_parameter_supported: false,
    });
    expect(oauthMetadata(at, ALL)).not.toHaveProperty('response_types_supported');
    expect(oauthMetadata(at, ALL)).not.toHaveProperty('authorization_endpoint');
  });

  it('leaves out what is not offered, and no list is empty', () => {
    const at: IssuerAddresses = {
      issuer: 'https://a.example',
      deviceAuthorization: 'https://a.example/d',
      token: 'https://a.example/t',
      jwks: 'https://a.example/j',
      verification: 'https://a.example/v',
    };
    const metadata = oauthMetadata(at, {
      ...ALL,
      clientAuthentication: ['none'],
      dpopAlgs: [],
      scopes: [],
      pkce: false,
    });
    expect(Object.keys(metadata).toSorted()).toEqual([
      'claims_supported',
      'device_authorization_endpoint',
      'grant_types_supported',
      'id_token_signing_alg_values_supported',
      'issuer',
      'jwks_uri',
      'subject_types_supported',
      'token_endpoint',
      'token_endpoint_auth_methods_supported',
    ]);
  });

  it.each([
    ['https://a.example', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
    ['https://a.example/x', '/.well-known/oauth-authorization-server/x', '/x/.well-known/openid-configuration'],
    ['https://a.example/x/y/', '/.well-known/oauth-authorization-server/x/y', '/x/y/.well-known/openid-configuration'],
  ])('is looked for where the standards say, for issuer %s', (issuer, oauth, openid) => {
    expect(metadataPaths(issuer)).toEqual({ oauth, openid });
  });
});
