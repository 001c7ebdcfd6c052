/** The realm that Keycloak begins with: two people, one client for Gatehouse, one that asks for consent, one made public, one device. */
export const KEYCLOAK_CLIENT = { clientId: 'gatehouse', secret: 'gatehouse-secret-of-the-matrix' };
export const CONSENT_CLIENT = 'gatehouse-consent';
/** Of the YAML's section for it besides addresses and names: the one that the guide recommends. */
export const KEYCLOAK_YAML = { claims: { groups: 'groups' } };
/** What *Client authentication* off makes of a client: it keeps its secret, and nobody looks at it. */
export const PUBLIC_CLIENT = 'gatehouse-public';
export const DEVICE_CLIENT = 'device-cli';
/** Its codes end while somebody waits, and its interval is the usual one. */
export const CONFORMANCE_CLIENT = 'conformance-cli';

const groups = {
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: {
    'claim.name': 'groups',
    'full.path': 'false',
    'id.token.claim': 'true',
    'access.token.claim': 'true',
    'userinfo.token.claim': 'true',
  },
};

export function realm(): object {
  return {
    realm: 'corp',
    displayName: 'Corp',
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan: 300,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    groups: [{ name: 'engineering' }],
    clients: [
      webClient(KEYCLOAK_CLIENT.clientId, false),
      webClient(CONSENT_CLIENT, true),
      { ...webClient(PUBLIC_CLIENT, false), publicClient: true },
      deviceClient(DEVICE_CLIENT, { 'oauth2.device.polling.interval': '1' }),
      deviceClient(CONFORMANCE_CLIENT, { 'oauth2.device.code.lifespan': '45' }),
    ],
    users: [user('alice', 'Alice', 'Ames'), user('bob', 'Bob', 'Brown')],
  };
}

function deviceClient(clientId: string, attributes: Record<string, string>): object {
  return {
    ...{ clientId, enabled: true, protocol: 'openid-connect', publicClient: true, standardFlowEnabled: false },
    attributes: { 'oauth2.device.authorization.grant.enabled': 'true', ...attributes },
  };
}

function webClient(clientId: string, consentRequired: boolean): object {
  return {
    clientId,
    name: 'Gatehouse',
    enabled: true,
    protocol: 'openid-connect',
    publicClient: false,
    clientAuthenticatorType: 'client-secret',
    secret: KEYCLOAK_CLIENT.secret,
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    consentRequired,
    redirectUris: [],
    protocolMappers: [groups],
    attributes: { 'pkce.code.challenge.method': 'S256' },
  };
}

function user(username: string, firstName: string, lastName: string): object {
  return {
    ...{ username, firstName, lastName, enabled: true, email: `${username}@corp.example`, emailVerified: true },
    groups: ['/engineering'],
    realmRoles: ['default-roles-corp'],
    credentials: [{ type: 'password', value: `${username}-password`, temporary: false }],
  };
}
