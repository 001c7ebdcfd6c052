import { metadataPaths, standardAddresses } from '../oauth/metadata.ts';
import type { DevicePath } from '../oauth/own-paths.ts';
import type { EndpointName, PathProfile } from './path-profiles.ts';

/** The list of the device door's own routes, relative to `public_url`. Path profiles add theirs; the rest is people's. */
const ENDPOINTS: Readonly<Record<DevicePath, EndpointName>> = {
  '/device_authorization': 'deviceAuthorization',
  '/token': 'token',
  '/revoke': 'revocation',
  '/introspect': 'introspection',
  '/userinfo': 'userinfo',
  '/jwks': 'jwks',
  '/.well-known/oauth-authorization-server': 'oauthMetadata',
  '/.well-known/openid-configuration': 'openidMetadata',
};

export function standardProfile(publicUrl: string): PathProfile {
  const { oauth, openid } = metadataPaths(publicUrl);
  // RFC 8414 §3.1 inserts the well-known part before the issuer's path, so that one hangs at the origin's root.
  const inserted: Record<string, EndpointName> = { [oauth]: 'oauthMetadata', [openid]: 'openidMetadata' };
  const issuer = { name: undefined, addresses: standardAddresses(publicUrl) };
  return { profile: 'standard', issuer, paths: { ...ENDPOINTS, ...inserted }, pages: {} };
}
