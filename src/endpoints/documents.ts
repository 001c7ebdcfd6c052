import type { RegisteredClient } from '../clients/registered-client.ts';
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

/**
 * Ours: the clients that people may choose among at `gatehouse login ISSUER`. What a client may do is not said beyond what it
 * asks for by default; no secret is in it, and whoever is not published is not named.
 */
export function createPublishedClients(issuer: Issuer, clients: Iterable<RegisteredClient>): Endpoint {
  const profiles = [...clients]
    .filter(({ published }) => published)
    .map(({ id, name, scopes, resources }) => ({
      client_id: id,
      name,
      scopes: scopes.default,
      resources: resources.slice(0, 1),
    }));
  const body = JSON.stringify({ issuer: issuer.addresses.issuer, profiles });
  return async () => ({ ...PUBLISHED, body });
}

/** RFC 7517 §5: the public halves of all signing keys, also of those that do not sign yet or no more. */
export function createJwks(signingKeys: SigningKeys): Endpoint {
  return async () => ({ ...PUBLISHED, body: await signingKeys.publicJwks() });
}
