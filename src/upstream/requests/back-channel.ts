import type { Reach, StatedEndpoint } from '../upstream-settings.ts';
import type { ProviderMetadata } from './upstream-requests.ts';

/** What Gatehouse itself calls: the document's member → the key of `endpoints` that takes its place. */
const CALLED: Readonly<Record<string, StatedEndpoint | undefined>> = {
  token_endpoint: 'token',
  userinfo_endpoint: 'userinfo',
  jwks_uri: 'jwks',
  revocation_endpoint: 'revocation',
  pushed_authorization_request_endpoint: undefined,
};

type Split = Pick<Reach, 'backChannel' | 'endpoints'>;

/** Where the provider's document is: at its issuer (OpenID Connect Discovery §4), unless the configuration says otherwise. */
export function discoveryAddress(issuer: string, { backChannel, endpoints }: Split): string {
  return (
    endpoints.discovery ?? withOrigin(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, backChannel)
  );
}

/**
 * The provider's document as it is used here. Behind a split horizon the provider knows itself by its public addresses,
 * and is called at others. What the browser visits stays as the provider publishes it, and so does the issuer, which
 * tokens are checked against.
 */
export function calledMetadata(published: ProviderMetadata, { backChannel, endpoints }: Split): ProviderMetadata {
  const called: Record<string, unknown> = {};
  for (const [member, key] of Object.entries(CALLED)) {
    const address = (key === undefined ? undefined : endpoints[key]) ?? withOrigin(published[member], backChannel);
    if (address !== undefined) called[member] = address;
  }
  const { end_session: endSession } = endpoints;
  return {
    ...published,
    ...called,
    ...(endSession !== undefined && { end_session_endpoint: endSession }),
    ...(published.token_endpoint !== undefined && { published_token_endpoint: published.token_endpoint }),
  };
}

/** The same path and query at another origin. */
export function withOrigin<Address>(address: Address, origin: string | undefined): Address | string {
  if (origin === undefined || typeof address !== 'string' || !URL.canParse(address)) return address;
  const { pathname, search } = new URL(address);
  return `${new URL(origin).origin}${pathname}${search}`;
}
