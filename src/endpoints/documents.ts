import { type Abilities, oauthMetadata, openidMetadata } from '../oauth/metadata.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import type { Endpoint } from './endpoint.ts';
import type { Issuer } from './issuer.ts';

/** RFC 8414 §3. The document changes only with the configuration, so it is written once. */
export function createOAuthMetadata(issuer: Issuer, abilities: Abilities): Endpoint {
  const body = JSON.stringify(oauthMetadata(issuer.addresses, abilities));
  return async () => ({ status: 200, body });
}

/** OpenID Connect Discovery §4. */
export function createOpenidMetadata(issuer: Issuer, abilities: Abilities): Endpoint {
  const body = JSON.stringify(openidMetadata(issuer.addresses, abilities));
  return async () => ({ status: 200, body });
}

/** RFC 7517 §5: the public halves of all signing keys, also of those that do not sign yet or no more. */
export function createJwks(signingKeys: SigningKeys): Endpoint {
  return async () => ({ status: 200, body: await signingKeys.publicJwks() });
}
