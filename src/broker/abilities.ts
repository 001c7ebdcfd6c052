import { ASSERTION_ALGS } from '../clients/client-assertion.ts';
import { DPOP_ALGS } from '../endpoints/proof-signature.ts';
import { carriedClaimNames } from '../grants/decide/client-claims.ts';
import type { Abilities } from '../oauth/metadata.ts';
import { uniteScopes } from '../oauth/scope.ts';
import type { ConfigContext } from './context.ts';

/** What the metadata documents say, from what the clients of this configuration may do. */
export function abilitiesOf({ config }: ConfigContext): Abilities {
  const { clients } = config;
  const methods = new Set(
    clients.flatMap(({ authentication }) =>
      authentication === 'client_secret' ? (['client_secret_basic', 'client_secret_post'] as const) : [authentication],
    ),
  );
  return {
    grantTypes: ['device_code', 'refresh_token'],
    clientAuthentication: [...methods],
    introspectionAuthentication: [
      ...new Set([...methods, 'client_secret_basic', 'client_secret_post'] as const),
    ].filter((method) => method !== 'none'),
    assertionAlgs: ASSERTION_ALGS,
    dpopAlgs: DPOP_ALGS,
    idTokenAlgs: [...new Set(clients.map((client) => client.signingAlg))],
    pkce: true,
    scopes: uniteScopes(...clients.map((client) => client.scopes.allowed)),
    claims: [...new Set(clients.flatMap((client) => carriedClaimNames(client, client.scopes.allowed)))],
    languages: config.pages.languages,
  };
}
