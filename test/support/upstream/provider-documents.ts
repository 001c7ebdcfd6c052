/**
 * Metadata in the shape of nine providers: the members and paths that each is known by, at addresses of our own. The list of a
 * real one is longer.
 */
export interface ProviderDocument {
  name: string;
  /** Below its origin. */
  issuerPath: string;
  /** For an origin, the document that stands at the issuer. */
  metadata(origin: string): Record<string, unknown> & { issuer: string };
}

const usual = {
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  code_challenge_methods_supported: ['S256'],
};

function document(
  name: string,
  issuerPath: string,
  paths: Record<string, string>,
  members: Record<string, unknown> = {},
): ProviderDocument {
  return {
    name,
    issuerPath,
    metadata: (origin) => ({
      issuer: origin + issuerPath,
      ...Object.fromEntries(Object.entries(paths).map(([member, path]) => [member, origin + path])),
      ...usual,
      ...members,
    }),
  };
}

const realm = '/realms/corp/protocol/openid-connect';
const tenant = '/9f1c0f0e-2b9c-4a77-9f0e-3f3a5c1f4c11';

export const PROVIDER_DOCUMENTS: readonly ProviderDocument[] = [
  document(
    'Keycloak',
    '/realms/corp',
    {
      authorization_endpoint: `${realm}/auth`,
      token_endpoint: `${realm}/token`,
      jwks_uri: `${realm}/certs`,
      userinfo_endpoint: `${realm}/userinfo`,
      device_authorization_endpoint: `${realm}/auth/device`,
    },
    {
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
      backchannel_logout_supported: true,
    },
  ),
  document(
    'authentik',
    '/application/o/gatehouse/',
    {
      authorization_endpoint: '/application/o/authorize/',
      token_endpoint: '/application/o/token/',
      jwks_uri: '/application/o/gatehouse/jwks/',
      userinfo_endpoint: '/application/o/userinfo/',
      device_authorization_endpoint: '/application/o/device/',
    },
    { token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'] },
  ),
  document(
    'Entra ID',
    `${tenant}/v2.0`,
    {
      authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${tenant}/discovery/v2.0/keys`,
    },
    {
      tenant_region_scope: 'EU',
      cloud_instance_name: 'microsoftonline.com',
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      frontchannel_logout_supported: true,
    },
  ),
  document('Okta', '', {
    authorization_endpoint: '/oauth2/v1/authorize',
    token_endpoint: '/oauth2/v1/token',
    jwks_uri: '/oauth2/v1/keys',
    userinfo_endpoint: '/oauth2/v1/userinfo',
  }),
  document(
    'Google',
    '',
    { authorization_endpoint: '/o/oauth2/v2/auth', token_endpoint: '/token', jwks_uri: '/oauth2/v3/certs' },
    { token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'] },
  ),
  document(
    'Auth0',
    '/',
    {
      authorization_endpoint: '/authorize',
      token_endpoint: '/oauth/token',
      jwks_uri: '/.well-known/jwks.json',
      userinfo_endpoint: '/userinfo',
      mfa_challenge_endpoint: '/mfa/challenge',
    },
    { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] },
  ),
  document('Zitadel', '', {
    authorization_endpoint: '/oauth/v2/authorize',
    token_endpoint: '/oauth/v2/token',
    jwks_uri: '/oauth/v2/keys',
    userinfo_endpoint: '/oidc/v1/userinfo',
  }),
  document('Dex', '/dex', {
    authorization_endpoint: '/dex/auth',
    token_endpoint: '/dex/token',
    jwks_uri: '/dex/keys',
    userinfo_endpoint: '/dex/userinfo',
  }),
  document('GitLab', '', {
    authorization_endpoint: '/oauth/authorize',
    token_endpoint: '/oauth/token',
    jwks_uri: '/oauth/discovery/keys',
    userinfo_endpoint: '/oauth/userinfo',
  }),
];
