import type { ProviderMetadata } from './requests/upstream-requests.ts';
import type { TripParameters } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export const OFFLINE_ACCESS = 'offline_access';

/**
 * Whether this sign-in asks for `offline_access` (OpenID Connect Core §11). `auto`: where refresh tokens are wanted, the
 * provider offers the scope, and none would come without it.
 */
export function asksOfflineAccess(
  settings: UpstreamSettings,
  trip: Pick<TripParameters, 'scopes' | 'wantsRefreshToken'>,
  metadata: ProviderMetadata,
): boolean {
  if (settings.offlineAccess === 'never') return false;
  // The configuration's own scopes are asked for as they stand.
  if (trip.scopes === undefined && settings.scopes.includes(OFFLINE_ACCESS)) return true;
  if (trip.wantsRefreshToken !== true) return false;
  if (settings.offlineAccess === 'always') return true;
  return offersOfflineAccess(metadata, trip.scopes?.includes(OFFLINE_ACCESS) === true) && !givesWithout(metadata);
}

/** @param otherwise what counts where the provider does not list its scopes */
function offersOfflineAccess({ scopes_supported: scopes }: ProviderMetadata, otherwise: boolean): boolean {
  return Array.isArray(scopes) ? scopes.includes(OFFLINE_ACCESS) : otherwise;
}

/**
 * Keycloak lists the scope and gives refresh tokens without it. With it they outlive the person's session there, and no
 * logout token is ever sent for them.
 */
export function givesWithout({ authorization_endpoint: address }: ProviderMetadata): boolean {
  return typeof address === 'string' && /\/realms\/[^/]+\/protocol\/openid-connect\/auth$/.test(address);
}
