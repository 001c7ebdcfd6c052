import { type Abilities, oauthMetadata, openidMetadata } from '../oauth/metadata.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Issuer } from './profiles/path-profile.ts';

/**
 * For what is published: keys, metadata, the realm document. A verifier behind a cache then asks once in five minutes,
 * half of the time that a new key is published before it signs.
 */
export const PUBLISHED = { status: 200, cacheControl: 'public, max-age=300' } as const;

/** RFC 8414 §3. The document changes only with the configuration, so it is written once. */
export function createOAuthMetadata(issuer: Issuer, abilities: Abilities): Endpoint {
  const body = JSON.stringify(oauthMetadata(issuer.addresses, abilities));
  return async () => ({ ...PUBLISHED, body });
}

/** OpenID Connect Discovery §4. */
export function createOpenidMetadata(issuer: Issuer, abilities: Abilities): Endpoint {
  const body = JSON.stringify(openidMetadata(issuer.addresses, abilities));
  return async () => ({ ...PUBLISHED, body });
}

/** RFC 7517 §5: the public halves of all signing keys, also of those that do not sign yet or no more. */
export function createJwks(signingKeys: SigningKeys): Endpoint {
  return async () => ({ ...PUBLISHED, body: await signingKeys.publicJwks() });
}
