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

/** In the administrator's words; the standard's own scopes have ours, and so have those that are called as a claim is. */
export function scopeItem(context: PageContext, name: string, language: Language): ScopeItem {
  const said = describedScope(context.deps.scopeDescriptions, name, language.code);
  if (said !== undefined) return { name, description: said, isScope: true, isStandard: false };
  const own = STANDARD_SCOPES.includes(name) ? language.t(`scope.${name}`) : claimWord(name, language);
  return { name, description: own, isScope: true, isStandard: own !== undefined };
}
