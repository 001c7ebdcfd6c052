import { OAuthError } from './oauth-error.ts';
import { quotable } from './quotable.ts';

/** RFC 6749 §3.3: printable ASCII without space, quotation mark and backslash. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

export function isScopeToken(text: string): boolean {
  return SCOPE_TOKEN.test(text);
}

/**
 * The scopes of a request's `scope`, each once, in the order given. Runs of spaces are one: clients join empty lists.
 *
 * @throws {OAuthError} `invalid_scope` for characters that RFC 6749 §3.3 does not allow
 */
export function parseScope(parameter: string): string[] {
  const scopes = parameter.split(' ').filter((token) => token !== '');
  const malformed = scopes.find((scope) => !isScopeToken(scope));
  if (malformed !== undefined) {
    const what = 'has characters that RFC 6749 section 3.3 does not allow';
    throw new OAuthError('invalid_scope', `the scope ${quotable(malformed)} ${what}`);
  }
  return [...new Set(scopes)];
}

export function formatScope(scopes: readonly string[]): string {
  return scopes.join(' ');
}

/** Those of `scopes` that are in `others` too, in the order of `scopes`. */
export function intersectScopes(scopes: readonly string[], others: readonly string[]): string[] {
  return scopes.filter((scope) => others.includes(scope));
}

export function isWithinScopes(scopes: readonly string[], allowed: readonly string[]): boolean {
  return scopes.every((scope) => allowed.includes(scope));
}

/** All scopes of several lists, each once. */
export function uniteScopes(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
