/** What a path of `compatibility.paths` may lead to: an endpoint by the name of our own path, or the code page. */
export type AliasTarget =
  | 'device_authorization'
  | 'token'
  | 'revoke'
  | 'introspect'
  | 'userinfo'
  | 'jwks'
  | 'openid-configuration'
  | 'oauth-authorization-server'
  | 'device';

/** The paths of other servers that are served as aliases of our own. */
export interface CompatibilitySettings {
  /** `prefix` begins with a slash and ends without one, or is ''. */
  keycloak?: { realm: string; prefix: string };
  authentik?: { slug: string };
  djangoOAuthToolkit: boolean;
  authlete: boolean;
  auth0: boolean;
  /** Answers by `Accept`, as a form or as JSON. */
  github: boolean;
  /** Also `grant_type=device_code` and `client_info` at every token endpoint of `public_url`. */
  microsoft: boolean;
  /** Any path from the origin's root → what stands behind it. */
  paths: Readonly<Record<string, AliasTarget>>;
}
