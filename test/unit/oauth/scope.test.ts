import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../../../src/oauth/oauth-error.ts';
import { formatScope, intersectScopes, isWithinScopes, parseScope, uniteScopes } from '../../../src/oauth/scope.ts';
import { inheritedName } from '../../support/samples/inherited-names.ts';

describe('scope (RFC 6749 §3.3)', () => {
  it.each([
    ['', []],
    ['openid', ['openid']],
    ['openid packages:read', ['openid', 'packages:read']],
    [' b  a b ', ['b', 'a']],
    ['!#[]~', ['!#[]~']],
  ])('reads %j as %j', (text, scopes) => {
    expect(parseScope(text)).toEqual(scopes);
  });

  it.each(['a"b', 'a\\b', 'a\tb', 'a\nb', 'é', 'a\u00a0b', '\u007f', 'a\u0000'])('refuses %j', (text) => {
    expect(() => parseScope(text)).toThrow(OAuthError);
    expect(() => parseScope(text)).toThrow('invalid_scope');
  });

  it('is written as it was read', () => {
    const token = fc.oneof(fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,10}$/), inheritedName);
    fc.assert(
      fc.property(fc.uniqueArray(token, { maxLength: 8 }), (scopes) => {
        expect(parseScope(formatScope(scopes))).toEqual(scopes);
      }),
    );
  });

  it('is narrowed, compared and joined as a set', () => {
    expect(intersectScopes(['c', 'a', 'b'], ['a', 'c'])).toEqual(['c', 'a']);
    expect(isWithinScopes(['a'], ['b', 'a'])).toBe(true);
    expect(isWithinScopes(['a', 'c'], ['b', 'a'])).toBe(false);
    expect(isWithinScopes([], [])).toBe(true);
    expect(uniteScopes(['a', 'b'], ['b', 'c'])).toEqual(['a', 'b', 'c']);
  });
});
