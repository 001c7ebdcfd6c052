import type { IssuerAddresses } from '../../oauth/metadata.ts';

/** Which endpoint of an issuer a path leads to. */
export type EndpointName =
  | 'deviceAuthorization'
  | 'token'
  | 'jwks'
  | 'oauthMetadata'
  | 'openidMetadata'
  | 'publishedClients'
  | 'userinfo'
  | 'introspection'
  | 'revocation'
  | 'keycloakLogout'
  | 'keycloakRealm';

/**
 * The paths of another server, for clients that have them built in. They hang at the origin's root, and each profile is
 * an issuer of its own: what was started under it is redeemed and refreshed there, and its tokens say so.
 */
export interface PathProfile {
  profile:
    | 'standard'
    | 'keycloak'
    | 'authentik'
    | 'django_oauth_toolkit'
    | 'authlete'
    | 'auth0'
    | 'github'
    | 'microsoft'
    | 'paths';
  issuer: Issuer;
  /** Path → endpoint; a path that ends with a slash is also served without it. */
  paths: Readonly<Record<string, EndpointName>>;
  /** Path → page of ours that is shown there. */
  pages: Readonly<Record<string, string>>;
}

/** An issuer that Gatehouse is: `public_url` itself, or a path profile of `compatibility:`. */
export interface Issuer {
  /** What grants and sessions remember it by; `undefined` for `public_url`. */
  name: string | undefined;
  addresses: IssuerAddresses;
}
