import { describe, expect, it } from 'vitest';
import { claimAt, missingClaims, readSignIn } from '../../../src/upstream/claim-mapping.ts';
import { UpstreamError } from '../../../src/upstream/upstream.ts';
import type { UpstreamSettings } from '../../../src/upstream/upstream-settings.ts';
import { REACH } from '../../support/fake-upstream.ts';

function settings(claims: Partial<UpstreamSettings['claims']> = {}): UpstreamSettings {
  return {
    id: 'corp',
    displayName: 'Corp',
    issuer: 'https://sso.example.com',
    clientId: 'gatehouse',
    authentication: 'none',
    scopes: ['openid'],
    claims: { subject: 'sub', name: 'name', email: 'email', groups: 'groups', ...claims },
    authorizationParameters: {},
    toleranceSeconds: 3600,
    clockToleranceSeconds: 30,
    reach: REACH,
  };
}

describe('a claim is found', () => {
  it.each<[string, string, Record<string, unknown>, unknown]>([
    ['by its name', 'email', { email: 'a@example.com' }, 'a@example.com'],
    ['by a dotted path', 'realm_access.roles', { realm_access: { roles: ['a'] } }, ['a']],
    ['by a name that is a URL', 'https://example.com/groups', { 'https://example.com/groups': ['a'] }, ['a']],
    ['by its literal name before a path', 'a.b', { 'a.b': 1, a: { b: 2 } }, 1],
    [
      'under a name with dots',
      'resource_access.my.client.roles',
      { resource_access: { 'my.client': { roles: [1] } } },
      [1],
    ],
    ['under a URL', 'https://example.com/app.roles', { 'https://example.com/app': { roles: [1] } }, [1]],
    ['deep down', 'a.b.c', { a: { b: { c: 1 } } }, 1],
    ['when the longer name leads nowhere', 'a.b.c', { 'a.b': { d: 2 }, a: { b: { c: 1 } } }, 1],
    ['although it is false', 'flag', { flag: false }, false],
  ])('%s', (_, path, claims, found) => expect(claimAt(claims, path)).toEqual(found));

  it.each<[string, string, Record<string, unknown>]>([
    ['not there', 'email', {}],
    ['null', 'email', { email: null }],
    ['in a list', 'groups.0', { groups: ['a'] }],
    ['in a text', 'name.length', { name: 'abc' }],
    ['only in every object’s ancestry', 'constructor', {}],
    ['only in every object’s ancestry, deeper', '__proto__.toString', {}],
    ['behind an empty name', '.a', { '': { a: 1 } }],
  ])('not where it is %s', (_, path, claims) => expect(claimAt(claims, path)).toBeUndefined());
});

describe('a sign-in is read', () => {
  it('from the ID token first, then from userinfo', () => {
    const signIn = readSignIn(
      { sub: 'a', name: 'Token' },
      { sub: 'a', name: 'Info', email: 'i@example.com' },
      settings(),
    );
    expect(signIn).toMatchObject({ subject: 'a', name: 'Token', email: 'i@example.com' });
    expect(signIn.claims).toEqual({ sub: 'a', name: 'Token', email: 'i@example.com' });
  });

  it('with claims where this upstream keeps them', () => {
    const mapped = settings({ subject: 'oid', name: 'display.full', groups: 'realm_access.roles' });
    const idToken = { sub: 'pairwise', oid: 'object-1', display: { full: 'Alice' } };
    const signIn = readSignIn(idToken, { realm_access: { roles: ['dev'] } }, mapped);
    expect(signIn).toMatchObject({ subject: 'object-1', name: 'Alice', groups: ['dev'] });
  });

  it('telling no groups from no such claim', () => {
    expect(readSignIn({ sub: 'a', groups: [] }, {}, settings()).groups).toEqual([]);
    expect(readSignIn({ sub: 'a' }, {}, settings())).not.toHaveProperty('groups');
    expect(readSignIn({ sub: 'a', groups: { dev: true } }, {}, settings())).not.toHaveProperty('groups');
  });

  it('taking one text for a list of one, and only texts from a list', () => {
    expect(readSignIn({ sub: 'a', groups: 'dev' }, {}, settings()).groups).toEqual(['dev']);
    expect(readSignIn({ sub: 'a', groups: ['dev', 7, null] }, {}, settings()).groups).toEqual(['dev']);
  });

  it.each([undefined, null, '', 42, ['a'], 'x'.repeat(256)])('but not without a proper subject: %j', (sub) => {
    expect(() => readSignIn({ sub }, {}, settings())).toThrow(UpstreamError);
  });
});

describe('what userinfo is asked for', () => {
  const complete = { sub: 'a', name: 'n', email: 'e', groups: [] };
  it.each<[Record<string, unknown>, string[], string[]]>([
    [complete, [], []],
    [{ ...complete, email: undefined }, [], ['email']],
    [complete, ['department'], ['department']],
    [{ ...complete, department: 'x' }, ['department'], []],
  ])('is what is mapped or wanted and not there', (claims, wanted, missing) => {
    expect(missingClaims(claims, settings(), wanted)).toEqual(missing);
  });
});
