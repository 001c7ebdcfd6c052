import { EMAIL_VERIFIED } from '../../grants/decide/approver-conditions.ts';
import { tokenClaims } from '../../grants/decide/client-claims.ts';
import type { Language } from '../frame/languages.ts';
import type { ScopeItem } from './confirm-locals.ts';
import type { ConfirmSession } from './confirm-session.ts';

/** What the tokens say of the person, and to whom: without `openid` there is no ID token, and relay mints no access token. */
export function toldClaims({ client, facts }: ConfirmSession, scopes: readonly string[], items: readonly ScopeItem[]) {
  const { idToken, accessToken } = tokenClaims(client, scopes);
  const forDevice = scopes.includes('openid') ? idToken : [];
  const forServices = client.tokens === 'mint' ? accessToken : [];
  // Whether an address was verified is a word about it, and none about the person. Of a scope's claims, those that came.
  const isTold = (name: string) =>
    name !== EMAIL_VERIFIED && (client.claims.standard !== true || Object.hasOwn(facts.signIn.claims, name));
  // A scope that is a claim too says it already, in words.
  const saidBy = new Set(
    items.flatMap(({ name, description }) => (description === undefined ? [] : [claimOfScope(name)])),
  );
  return {
    claims: [...new Set([...forDevice, ...forServices])].filter((name) => isTold(name) && !saidBy.has(name)),
    claimsForServices: forServices.filter(isTold),
  };
}

/** OpenID Connect Core §5.4: of the scopes with one claim, the one that is called otherwise. */
function claimOfScope(scope: string): string {
  return scope === 'phone' ? 'phone_number' : scope;
}

/** Names of the standard have words; an administrator's own claim is shown by its name. */
export function claimWord(name: string, language: Language): string | undefined {
  // i18next would take a dot for a level, and a colon for a file.
  return /^\w+$/.test(name) && language.has(`claim.${name}`) ? language.t(`claim.${name}`) : undefined;
}

export function claimWordsOf(names: readonly string[], language: Language): Map<string, string> {
  const words = new Map<string, string>();
  for (const name of names) {
    const word = claimWord(name, language);
    if (word !== undefined) words.set(name, word);
  }
  return words;
}
