import type { AliasTarget } from '../../endpoints/profiles/compatibility-settings.ts';
import { entries, oneOf, pattern, section, yesOrNo } from './value-schemas.ts';

/** By the names of our own paths; `device` is the code page. */
const TARGETS = [
  'device_authorization',
  'token',
  'revoke',
  'introspect',
  'userinfo',
  'jwks',
  'openid-configuration',
  'oauth-authorization-server',
  'device',
] as const satisfies readonly AliasTarget[];

const pathWord = (what: string) => pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, what);

export const compatibilitySchema = section({
  keycloak: section({
    realm: pathWord('the name of a realm').describe('As in /realms/{realm}'),
    prefix: pattern(/^(\/[A-Za-z0-9._~-]+)*$/, 'a path such as /auth')
      .prefault('')
      .describe('Before /realms, such as /auth'),
  })
    .optional()
    .describe('Keycloak’s paths'),
  authentik: section({ slug: pathWord('the slug of an application').describe('As in /application/o/{slug}/') })
    .optional()
    .describe('authentik’s paths'),
  django_oauth_toolkit: yesOrNo().prefault(false).describe('Paths under /o/'),
  authlete: yesOrNo().prefault(false).describe('Paths under /api/'),
  auth0: yesOrNo().prefault(false).describe('Auth0’s paths: /oauth/device/code, /oauth/token, /oauth/revoke'),
  github: yesOrNo()
    .prefault(false)
    .describe('GitHub’s paths: /login/device/code, /login/oauth/access_token; answers as form or JSON by Accept'),
  microsoft: yesOrNo()
    .prefault(false)
    .describe('Microsoft’s paths: /devicecode, /oauth2/v2.0/…; with grant_type=device_code and client_info'),
  paths: entries(
    pattern(/^(\/[A-Za-z0-9._~%-]+)+\/?$/, 'a path such as /oauth/device/code'),
    oneOf(TARGETS),
    'a section with one entry per path',
  )
    .prefault({})
    .describe('Any path from the root → device_authorization, token, revoke … or device, the code page'),
});
