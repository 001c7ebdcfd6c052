import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { NeededClaims } from '../../upstream/upstream.ts';
import { EMAIL_VERIFIED } from './approver-conditions.ts';
import { judgedClaimNames } from './policy.ts';

/** OpenID Connect Core §5.4: what a scope asks for where nothing else is said. */
const STANDARD_CLAIMS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'profile',
    [
      ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
      ...['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
    ],
  ],
  ['email', ['email']],
  ['address', ['address']],
  ['phone', ['phone_number', 'phone_number_verified']],
]);

/** Of a scope's claims, those that userinfo is asked for where the ID token lacks them; the others come or do not. */
const SOUGHT = new Set(['name', 'email', 'address', 'phone_number']);

export interface TokenClaims {
  /** Into ID token and userinfo. */
  idToken: readonly string[];
  accessToken: readonly string[];
}

/**
 * The claims that this client's tokens carry with these scopes: what its configuration names, else what the standard
 * scopes bring. An e-mail address never goes without the word whether it was verified.
 */
export function tokenClaims(client: Pick<RegisteredClient, 'claims'>, scopes: readonly string[]): TokenClaims {
  const { standard, idToken, accessToken } = client.claims;
  if (standard !== true) return { idToken: withVerified(idToken), accessToken: withVerified(accessToken) };
  return { idToken: withVerified(scopes.flatMap((scope) => STANDARD_CLAIMS.get(scope) ?? [])), accessToken: [] };
}

/** All of them, each once. */
export function carriedClaimNames(client: Pick<RegisteredClient, 'claims'>, scopes: readonly string[]): string[] {
  const { idToken, accessToken } = tokenClaims(client, scopes);
  return [...new Set([...idToken, ...accessToken])];
}

/** What the upstream is asked to say of a person who wants to approve for this client. */
export function neededClaims(client: RegisteredClient, scopes: readonly string[]): NeededClaims {
  const carried = carriedClaimNames(client, scopes).filter((name) => name !== EMAIL_VERIFIED);
  const sought = client.claims.standard === true ? carried.filter((name) => SOUGHT.has(name)) : carried;
  const required = judgedClaimNames(client);
  return { wanted: [...new Set([...sought, ...required])], required };
}

function withVerified(names: readonly string[]): readonly string[] {
  return names.includes('email') && !names.includes(EMAIL_VERIFIED) ? [...names, EMAIL_VERIFIED] : names;
}
