import { ASSERTION_ALGS } from '../clients/client-assertion.ts';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { DPOP_ALGS } from '../endpoints/proof-signature.ts';
import { carriedClaimNames } from '../grants/decide/client-claims.ts';
import type { Abilities } from '../oauth/metadata.ts';
import type { ConfigContext } from './context.ts';

/** What the metadata documents say, from what the clients of this configuration may do. */
export function abilitiesOf({ config }: ConfigContext): Abilities {
  const methods = new Set<Exclude<RegisteredClient['authentication'], 'client_secret'>>();
  const [algs, scopes, claims] = [new Set<RegisteredClient['signingAlg']>(), new Set<string>(), new Set<string>()];
  const confirmations = new Set<'digits' | 'loopback'>();
  // One loop and no lists of lists: there may be ten thousand clients, and devices wait while this runs.
  for (const client of config.clients) {
    if (client.authentication === 'client_secret') methods.add('client_secret_basic').add('client_secret_post');
    else methods.add(client.authentication);
    algs.add(client.signingAlg);
    const { allowed } = client.scopes;
    for (const scope of allowed) scopes.add(scope);
    const { local, reverseCode } = client.safeguards;
    if (local !== 'off' || reverseCode !== 'off') confirmations.add('digits');
    if (local !== 'off') confirmations.add('loopback');
    for (const name of carriedClaimNames(client, allowed)) claims.add(name);
  }
  return {
    grantTypes: ['device_code', 'refresh_token'],
    clientAuthentication: [...methods],
    introspectionAuthentication: [
      ...new Set([...methods, 'client_secret_basic', 'client_secret_post'] as const),
    ].filter((method) => method !== 'none'),
    assertionAlgs: ASSERTION_ALGS,
    dpopAlgs: DPOP_ALGS,
    idTokenAlgs: [...algs],
    pkce: true,
    scopes: [...scopes],
    claims: [...claims],
    languages: config.pages.languages,
    confirmations: [...confirmations],
  };
}
