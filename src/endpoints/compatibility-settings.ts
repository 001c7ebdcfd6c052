/** The paths of other servers that are served as aliases of our own. */
export interface CompatibilitySettings {
  /** `prefix` begins with a slash and ends without one, or is ''. */
  keycloak?: { realm: string; prefix: string };
  authentik?: { slug: string };
  djangoOAuthToolkit: boolean;
  authlete: boolean;
}
