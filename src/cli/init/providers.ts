import type { ProviderMetadata } from '../../upstream/requests/upstream-requests.ts';

/** What is registered at a provider. */
export interface RegisteredAddresses {
  redirectUri: string;
  /** Back-channel logout. */
  logoutUri: string;
  frontLogoutUri: string;
}

/** A provider that is known by what it publishes. */
export interface Provider {
  name: string;
  /** Below docs/upstreams. */
  guide: string;
  isThat(metadata: ProviderMetadata): boolean;
  /** What its upstream needs besides, as lines of YAML. */
  yaml?: readonly string[];
  /** What to do at the provider, in the words of its console. */
  steps(at: RegisteredAddresses): string[];
}

const pathAt = (metadata: ProviderMetadata, member: string): string => {
  const address = metadata[member];
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).pathname : '';
};
const authorizeAt = (metadata: ProviderMetadata) => pathAt(metadata, 'authorization_endpoint');

/** The narrower ones first. */
const PROVIDERS: readonly Provider[] = [
  {
    name: 'Keycloak',
    guide: 'keycloak.md',
    isThat: (metadata) => /\/realms\/[^/]+\/protocol\/openid-connect\/auth$/.test(authorizeAt(metadata)),
    steps: ({ redirectUri, logoutUri }) => [
      'Clients, Create client: type OpenID Connect. Client authentication on, Standard flow on, all else off.',
      `Valid redirect URIs: ${redirectUri}`,
      `Settings, Logout settings: Front channel logout off, then Backchannel logout URL: ${logoutUri}`,
      'Advanced, Proof Key for Code Exchange Code Challenge Method: S256.',
      'Credentials: copy the client secret.',
    ],
  },
  {
    name: 'authentik',
    guide: 'authentik.md',
    isThat: (metadata) => authorizeAt(metadata).endsWith('/application/o/authorize/'),
    steps: ({ redirectUri, logoutUri }) => [
      'Applications, Providers, Create: OAuth2/OpenID Provider, client type Confidential.',
      `Redirect URIs, strict: ${redirectUri}`,
      'Signing key: choose one; without it ID tokens cannot be checked.',
      'Advanced, Scopes: add offline_access, else there are no refresh tokens.',
      `Logout URI (2025.8 and later): ${logoutUri}, with the logout method Back-channel.`,
      'Applications, Create: with that provider; its slug is part of the issuer.',
    ],
  },
  {
    name: 'Entra ID',
    guide: 'entra-id.md',
    isThat: (metadata) => 'tenant_region_scope' in metadata || 'cloud_instance_name' in metadata,
    yaml: [
      'authentication: client_secret_post',
      'claims: { subject: oid } # the same for all applications of the tenant',
    ],
    steps: ({ redirectUri, frontLogoutUri }) => [
      'App registrations, New registration: accounts in this directory only, platform Web.',
      `Redirect URI: ${redirectUri}`,
      'Certificates & secrets, New client secret: copy its value, not its id.',
      'API permissions: openid, profile, email, offline_access.',
      `Where a sign-out there is to end devices: Front-channel logout URL ${frontLogoutUri}, the optional claim sid, and front_channel_logout: sid_only here.`,
    ],
  },
  {
    name: 'Okta',
    guide: 'okta.md',
    isThat: (metadata) => /\/oauth2\/([^/]+\/)?v1\/authorize$/.test(authorizeAt(metadata)),
    steps: ({ redirectUri }) => [
      'Applications, Create App Integration: OIDC, Web Application.',
      'Grant types: Authorization Code and Refresh Token. Require PKCE as additional verification.',
      `Sign-in redirect URIs: ${redirectUri}`,
      'Assignments: who may sign in at all. There is no back-channel logout.',
    ],
  },
  {
    name: 'Google',
    guide: 'google.md',
    isThat: ({ issuer }) => issuer === 'https://accounts.google.com',
    yaml: ['authorization_parameters: { access_type: offline } # brings refresh tokens'],
    steps: ({ redirectUri }) => [
      'APIs & Services, Credentials, Create credentials, OAuth client ID: type Web application.',
      `Authorised redirect URIs: ${redirectUri}`,
      'OAuth consent screen: Internal, or any Google account can sign in. There is no back-channel logout.',
    ],
  },
  {
    name: 'Auth0',
    guide: 'auth0.md',
    isThat: (metadata) =>
      authorizeAt(metadata) === '/authorize' && pathAt(metadata, 'token_endpoint') === '/oauth/token',
    yaml: ['authentication: client_secret_post'],
    steps: ({ redirectUri, logoutUri }) => [
      'Applications, Create Application: Regular Web Applications.',
      `Allowed Callback URLs: ${redirectUri}`,
      'Advanced Settings, Grant Types: Authorization Code and Refresh Token.',
      `Settings, OpenID Connect Back-Channel Logout, where the plan has it: ${logoutUri}`,
    ],
  },
  {
    name: 'Zitadel',
    guide: 'zitadel.md',
    isThat: (metadata) =>
      authorizeAt(metadata).endsWith('/oauth/v2/authorize') &&
      pathAt(metadata, 'userinfo_endpoint').endsWith('/oidc/v1/userinfo'),
    yaml: ['claims: { groups: { from: "urn:zitadel:iam:org:project:roles", keys: true } }'],
    steps: ({ redirectUri, logoutUri }) => [
      'In a project, New application: Web, authentication Basic.',
      `Redirect URIs: ${redirectUri}`,
      'Token settings: User info inside ID token, and the grant Refresh Token.',
      `Back-channel logout URI: ${logoutUri}`,
    ],
  },
  {
    name: 'GitLab',
    guide: 'gitlab.md',
    isThat: (metadata) => pathAt(metadata, 'jwks_uri').endsWith('/oauth/discovery/keys'),
    steps: ({ redirectUri }) => [
      'Admin (or a group, or your own settings), Applications, New application: Confidential.',
      `Redirect URI: ${redirectUri}`,
      'Scopes: openid, profile, email. There is no back-channel logout.',
    ],
  },
  {
    name: 'Dex',
    guide: 'dex.md',
    isThat: (metadata) =>
      authorizeAt(metadata).endsWith('/auth') &&
      pathAt(metadata, 'token_endpoint').endsWith('/token') &&
      pathAt(metadata, 'jwks_uri').endsWith('/keys'),
    steps: ({ redirectUri }) => [
      `staticClients in its configuration: an id, a secret, and redirectURIs: [${redirectUri}]`,
      'oauth2: { skipApprovalScreen: true }, or people confirm twice. There is no back-channel logout.',
    ],
  },
];

/** `undefined` for one that is not among those with words of their own. */
export function recogniseProvider(metadata: ProviderMetadata): Provider | undefined {
  return PROVIDERS.find((provider) => provider.isThat(metadata));
}

/** For any provider. */
export function plainSteps(metadata: ProviderMetadata, { redirectUri, logoutUri }: RegisteredAddresses): string[] {
  return [
    'A confidential web client for the authorization code flow, with PKCE S256 where there is a switch for it.',
    `Redirect URI: ${redirectUri}`,
    ...(metadata['backchannel_logout_supported'] === true ? [`Back-channel logout URI: ${logoutUri}`] : []),
    'Refresh tokens for that client, so that Gatehouse notices when an account is closed.',
  ];
}
