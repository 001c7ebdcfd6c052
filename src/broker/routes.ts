import type { DeviceRoute } from '../endpoints/http/node-adapter.ts';
import { formUnlessJson } from '../endpoints/profiles/github-answers.ts';
import type { EndpointName, PathProfile } from '../endpoints/profiles/path-profile.ts';
import { metadataPaths, standardAddresses } from '../oauth/metadata.ts';
import type { DevicePath } from '../oauth/routes.ts';
import type { IssuerEndpoints } from './device-app.ts';

/** The list of the device door's own routes, relative to `public_url`. Path profiles add theirs; the rest is people's. */
const ROUTES: Readonly<Record<DevicePath, EndpointName>> = {
  '/device_authorization': 'deviceAuthorization',
  '/token': 'token',
  '/revoke': 'revocation',
  '/introspect': 'introspection',
  '/userinfo': 'userinfo',
  '/jwks': 'jwks',
  '/.well-known/oauth-authorization-server': 'oauthMetadata',
  '/.well-known/openid-configuration': 'openidMetadata',
  '/.well-known/gatehouse-profiles': 'publishedClients',
};

/** What each endpoint answers to; GET answers HEAD too. */
const METHODS: Readonly<Record<EndpointName, readonly ('GET' | 'POST')[]>> = {
  deviceAuthorization: ['POST'],
  token: ['POST'],
  revocation: ['POST'],
  introspection: ['POST'],
  userinfo: ['GET', 'POST'],
  jwks: ['GET'],
  oauthMetadata: ['GET'],
  openidMetadata: ['GET'],
  publishedClients: ['GET'],
  keycloakRealm: ['GET'],
  keycloakLogout: ['POST'],
};

export function standardProfile(publicUrl: string): PathProfile {
  const { oauth, openid } = metadataPaths(publicUrl);
  // RFC 8414 §3.1 inserts the well-known part before the issuer's path, so that one hangs at the origin's root.
  const inserted: Record<string, EndpointName> = { [oauth]: 'oauthMetadata', [openid]: 'openidMetadata' };
  const issuer = { name: undefined, addresses: standardAddresses(publicUrl) };
  return { profile: 'standard', issuer, paths: { ...ROUTES, ...inserted }, pages: {} };
}

interface RouteTable {
  routes: ReadonlyMap<string, DeviceRoute>;
  /** Another server's path → page of ours. */
  pages: ReadonlyMap<string, string>;
}

export function routeTable(
  profiles: readonly PathProfile[],
  endpointsOf: (profile: PathProfile) => IssuerEndpoints,
): RouteTable {
  const routes = new Map<string, DeviceRoute>();
  const pages = new Map<string, string>();
  for (const profile of profiles) {
    const endpoints = endpointsOf(profile);
    for (const [path, name] of Object.entries(profile.paths)) {
      const endpoint = endpoints[name];
      const methods = Object.fromEntries(METHODS[name].map((method) => [method, endpoint]));
      const shape = profile.profile === 'github' ? { shape: formUnlessJson } : {};
      routes.set(plainPath(path), { path, ...methods, ...shape });
    }
    for (const [path, page] of Object.entries(profile.pages)) pages.set(plainPath(path), page);
  }
  return { routes, pages };
}

/** RFC 9112 §3.2.2: a request may name a whole address; whose it is said to be decides nothing here. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '');
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest;
}

/**
 * Double and trailing slashes lead nowhere else: clients append to an issuer that ends in a slash byte by byte, and to
 * addresses that people copy.
 */
export function plainPath(path: string): string {
  if (!path.includes('//') && !path.endsWith('/')) return path;
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** Proxies may strip the path of `public_url` or pass it on, and profiles have paths of their own; pages know only ours. */
export function pageTarget(target: string, pages: ReadonlyMap<string, string>, base: string): string {
  const path = pathOf(target);
  const page = pages.get(path);
  // authentik's clients call the parameter `code`.
  return page === undefined
    ? withoutBase(target, base)
    : page + target.slice(path.length).replace(/([?&])code=/, '$1user_code=');
}

export function withoutBase(target: string, base: string): string {
  if (base === '' || !target.startsWith(base)) return target;
  const rest = target.slice(base.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest || '/' : target;
}
