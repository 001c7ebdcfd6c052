import { standardAddresses } from '../../oauth/metadata.ts';
import type { AliasTarget, CompatibilitySettings } from './compatibility-settings.ts';
import type { EndpointName, PathProfile } from './path-profile.ts';

/** What `compatibility.paths` may lead to, by the names of our own paths. */
export const ALIAS_TARGETS: Readonly<Record<Exclude<AliasTarget, 'device'>, EndpointName>> = {
  device_authorization: 'deviceAuthorization',
  token: 'token',
  revoke: 'revocation',
  introspect: 'introspection',
  userinfo: 'userinfo',
  jwks: 'jwks',
  'openid-configuration': 'openidMetadata',
  'oauth-authorization-server': 'oauthMetadata',
};

type Aliases = Readonly<Record<string, AliasTarget>>;

/** Auth0's, which Docker's login has built in. */
const AUTH0: Aliases = {
  '/oauth/device/code': 'device_authorization',
  '/oauth/token': 'token',
  '/oauth/revoke': 'revoke',
  '/.well-known/jwks.json': 'jwks',
  '/activate': 'device',
};

/** GitHub's, which gh has built in. */
const GITHUB: Aliases = {
  '/login/device/code': 'device_authorization',
  '/login/oauth/access_token': 'token',
  '/login/device': 'device',
};

/** Microsoft's; MSAL makes the first from the address of our token endpoint, and the others from that of a tenant. */
function microsoft(base: string): Aliases {
  const tenant = base.replace(/\/v2\.0$/, '');
  return {
    '/devicecode': 'device_authorization',
    [`${tenant}/oauth2/v2.0/devicecode`]: 'device_authorization',
    [`${tenant}/oauth2/v2.0/token`]: 'token',
    [`${tenant}/discovery/v2.0/keys`]: 'jwks',
    [`${tenant}/devicelogin`]: 'device',
  };
}

/**
 * Further paths of our own endpoints. They are no issuers: what is started here is redeemed at `/token` too, and its
 * tokens carry `public_url`. Each path is a profile of its own, since a DPoP proof names the very path.
 */
export function pathAliases(publicUrl: string, settings: CompatibilitySettings): PathProfile[] {
  const { origin, pathname } = new URL(publicUrl);
  const of = (profile: PathProfile['profile'], aliases: Aliases | undefined): PathProfile[] =>
    Object.entries(aliases ?? {}).map(([path, target]) => aliasProfile({ profile, publicUrl, origin }, path, target));
  return [
    ...of('auth0', settings.auth0 ? AUTH0 : undefined),
    ...of('github', settings.github ? GITHUB : undefined),
    ...of('microsoft', settings.microsoft ? microsoft(pathname.replace(/\/$/, '')) : undefined),
    // Last, since what is written out counts.
    ...of('paths', settings.paths),
  ];
}

function aliasProfile(
  { profile, publicUrl, origin }: { profile: PathProfile['profile']; publicUrl: string; origin: string },
  path: string,
  target: AliasTarget,
): PathProfile {
  const addresses = standardAddresses(publicUrl);
  const issuer = { name: undefined, addresses };
  if (target === 'device') return { profile, issuer, paths: {}, pages: { [path]: '/device' } };
  const named = target === 'token' ? { token: origin + path } : {};
  const started = target === 'device_authorization' ? { deviceAuthorization: origin + path } : {};
  return {
    profile,
    // The documents name our own addresses, wherever they are found.
    issuer: { name: undefined, addresses: { ...addresses, ...named, ...started } },
    paths: { [path]: ALIAS_TARGETS[target] },
    pages: {},
  };
}
