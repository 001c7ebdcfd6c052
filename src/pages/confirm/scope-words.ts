import type { Language } from '../frame/languages.ts';
import type { PageContext } from '../frame/page-context.ts';
import type { ScopeDescriptions } from '../frame/page-deps.ts';
import type { ScopeItem } from './confirm-locals.ts';
import { claimWord } from './told-claims.ts';

/** OpenID Connect Core §5.4 and §11. */
const STANDARD_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/** In this language, in the same without its region, else in the first that the administrator wrote. */
export function describedScope(all: ScopeDescriptions, scope: string, language: string): string | undefined {
  const written = Object.hasOwn(all, scope) ? all[scope] : undefined;
  if (written === undefined || typeof written === 'string') return written;
  const texts = new Map(Object.entries(written));
  const [primary = ''] = language.split('-');
  return texts.get(language) ?? texts.get(primary) ?? [...texts.values()][0];
}

/** OpenID Connect Core §5.4: the scopes whose words name the one claim that they bring. */
const CLAIM_OF_SCOPE: ReadonlyMap<string, string> = new Map([
  ['email', 'email'],
  ['address', 'address'],
  ['phone', 'phone_number'],
]);

/**
 * In the administrator's words; the standard's own scopes have ours, and so have those that are called as a claim that is
 * told. Only our words are known to name a claim: an administrator's may say anything (I5).
 *
 * @param told claims that the tokens carry
 */
export function scopeItem(
  context: PageContext,
  name: string,
  language: Language,
  told: readonly string[] = [],
): ScopeItem {
  const item = { name, isScope: true, saysClaim: undefined } as const;
  const written = describedScope(context.deps.scopeDescriptions, name, language.code);
  if (written !== undefined) return { ...item, description: written, isStandard: false };
  if (STANDARD_SCOPES.includes(name)) {
    return { ...item, description: language.t(`scope.${name}`), isStandard: true, saysClaim: CLAIM_OF_SCOPE.get(name) };
  }
  const word = told.includes(name) ? claimWord(name, language) : undefined;
  if (word === undefined) return { ...item, description: undefined, isStandard: false };
  return { ...item, description: word, isStandard: true, saysClaim: name };
}
