import { EMAIL_VERIFIED } from '../../grants/decide/approver-conditions.ts';
import { tokenClaims } from '../../grants/decide/client-claims.ts';
import type { Language } from '../frame/languages.ts';
import type { ConfirmSession } from './confirm-session.ts';

/** What the tokens say of the person, and to whom: without `openid` there is no ID token, and relay mints no access token. */
export interface ToldClaims {
  forDevice: readonly string[];
  forServices: readonly string[];
  /** Both, each once. */
  all: readonly string[];
}

export function toldClaims({ client, facts }: ConfirmSession, scopes: readonly string[]): ToldClaims {
  const { idToken, accessToken } = tokenClaims(client, scopes);
  // Of a scope's claims, those that came. Whether an address was verified is a word about it, and none about the person.
  const isTold = (name: string, _index: number, names: readonly string[]) =>
    !(name === EMAIL_VERIFIED && names.includes('email')) &&
    (client.claims.standard !== true || Object.hasOwn(facts.signIn.claims, name));
  const forDevice = (scopes.includes('openid') ? idToken : []).filter(isTold);
  const forServices = (client.tokens === 'mint' ? accessToken : []).filter(isTold);
  return { forDevice, forServices, all: [...new Set([...forDevice, ...forServices])] };
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
