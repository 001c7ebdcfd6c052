/**
 * Paths and answers of other servers, for programs that have them built in. Each profile is an issuer of its own. The
 * endpoints behind the paths are ours; here is only what differs.
 */

import { type IssuerAddresses, metadataPaths } from '../../oauth/metadata.ts';
import type { CompatibilitySettings } from './compatibility-settings.ts';
import { pathAliases } from './path-aliases.ts';
import type { EndpointName, PathProfile } from './path-profile.ts';

/** Every profile that is switched on, for one origin. */
export function pathProfiles(publicUrl: string, settings: CompatibilitySettings): PathProfile[] {
  const { origin } = new URL(publicUrl);
  const verification = `${publicUrl}/device`;
  const profiles: PathProfile[] = [];
  if (settings.keycloak !== undefined) {
    const { prefix, realm } = settings.keycloak;
    profiles.push(keycloak(origin, `${prefix}/realms/${encodeURIComponent(realm)}`, verification));
  }
  if (settings.authentik !== undefined) profiles.push(authentik(origin, settings.authentik.slug, verification));
  if (settings.djangoOAuthToolkit) profiles.push(djangoOAuthToolkit(origin, verification));
  if (settings.authlete) profiles.push(authlete(origin, publicUrl, verification));
  return [...profiles, ...pathAliases(publicUrl, settings)];
}

function keycloak(origin: string, realm: string, verification: string): PathProfile {
  const protocol = `${realm}/protocol/openid-connect`;
  const paths = {
    [realm]: 'keycloakRealm',
    [`${protocol}/auth/device`]: 'deviceAuthorization',
    [`${protocol}/token`]: 'token',
    [`${protocol}/certs`]: 'jwks',
    [`${protocol}/userinfo`]: 'userinfo',
    [`${protocol}/token/introspect`]: 'introspection',
    [`${protocol}/revoke`]: 'revocation',
    [`${protocol}/logout`]: 'keycloakLogout',
  } as const;
  return profileOf('keycloak', origin, `${origin}${realm}`, paths, { [`${realm}/device`]: '/device' }, verification);
}

function authentik(origin: string, slug: string, verification: string): PathProfile {
  const application = '/application/o';
  const paths = {
    [`${application}/device/`]: 'deviceAuthorization',
    [`${application}/token/`]: 'token',
    [`${application}/${slug}/jwks/`]: 'jwks',
    [`${application}/userinfo/`]: 'userinfo',
    [`${application}/introspect/`]: 'introspection',
    [`${application}/revoke/`]: 'revocation',
  } as const;
  return profileOf(
    'authentik',
    origin,
    `${origin}${application}/${slug}/`,
    paths,
    { '/device': '/device' },
    verification,
  );
}

function djangoOAuthToolkit(origin: string, verification: string): PathProfile {
  const paths = {
    '/o/device-authorization/': 'deviceAuthorization',
    '/o/token/': 'token',
    '/o/.well-known/jwks.json': 'jwks',
    '/o/userinfo/': 'userinfo',
    '/o/introspect/': 'introspection',
    '/o/revoke_token/': 'revocation',
  } as const;
  return profileOf('django_oauth_toolkit', origin, `${origin}/o`, paths, { '/o/device/': '/device' }, verification);
}

/** Authlete's sample server has no issuer of its own here: its tokens carry `public_url`. */
function authlete(origin: string, publicUrl: string, verification: string): PathProfile {
  const paths = {
    '/api/device/authorization': 'deviceAuthorization',
    '/api/token': 'token',
    '/api/jwks': 'jwks',
    '/api/introspection': 'introspection',
    '/api/revocation': 'revocation',
  } as const;
  const pages = { '/api/device/verification': '/device', '/api/device/complete': '/device/confirm' };
  const { issuer, ...rest } = profileOf('authlete', origin, publicUrl, paths, pages, verification);
  return { ...rest, issuer: { ...issuer, name: undefined }, paths };
}

function profileOf(
  profile: PathProfile['profile'],
  origin: string,
  issuer: string,
  paths: Readonly<Record<string, EndpointName>>,
  pages: Readonly<Record<string, string>>,
  verification: string,
): PathProfile {
  const addressOf = (name: EndpointName) => {
    const path = Object.keys(paths).find((key) => paths[key] === name);
    return path === undefined ? '' : origin + path;
  };
  const addresses: IssuerAddresses = {
    issuer,
    deviceAuthorization: addressOf('deviceAuthorization'),
    token: addressOf('token'),
    jwks: addressOf('jwks'),
    verification,
    revocation: addressOf('revocation'),
    introspection: addressOf('introspection'),
    ...(addressOf('userinfo') !== '' && { userinfo: addressOf('userinfo') }),
  };
  const { oauth, openid } = metadataPaths(issuer);
  return {
    profile,
    issuer: { name: issuer, addresses },
    paths: { ...paths, [oauth]: 'oauthMetadata', [openid]: 'openidMetadata' },
    pages,
  };
}
