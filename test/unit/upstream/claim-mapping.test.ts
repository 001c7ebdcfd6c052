import { describe, expect, it } from 'vitest';
import { claimAt } from '../../../src/grants/decide/claim-at.ts';
import { missingClaims, readSignIn } from '../../../src/upstream/claims/claim-mapping.ts';
import { UpstreamError } from '../../../src/upstream/upstream.ts';
import type { GroupsClaim, UpstreamSettings } from '../../../src/upstream/upstream-settings.ts';
import { REACH } from '../../support/upstream/fake-upstream.ts';

type Mapped = Partial<Omit<UpstreamSettings['claims'], 'groups'>> & { groups?: Partial<GroupsClaim> };

function settings({ groups, ...claims }: Mapped = {}): UpstreamSettings {
  return {
    id: 'corp',
    displayName: 'Corp',
    issuer: 'https://sso.example.com',
    clientId: 'gatehouse',
    authentication: 'none',
    scopes: ['openid'],
    claims: {
      ...{ subject: 'sub', name: 'name', email: 'email', ...claims },
      groups: { from: 'groups', keys: false, ...groups },
    },
    groupsOverage: 'off',
    responseMode: 'query',
    frontChannelLogout: false,
    authorizationParameters: {},
    toleranceSeconds: 3600,
    clockToleranceSeconds: 30,
    reach: REACH,
    userinfo: 'auto',
    offlineAccess: 'never',
    uncheckedSessionSeconds: 43_200,
    recheckSeconds: 0,
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
    ['empty', 'email', { email: '' }],
    ['null, deeper', 'a.b', { a: { b: null } }],
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
    const mapped = settings({ subject: 'oid', name: 'display.full', groups: { from: 'realm_access.roles' } });
    const idToken = { sub: 'pairwise', oid: 'object-1', display: { full: 'Alice' } };
    const signIn = readSignIn(idToken, { realm_access: { roles: ['dev'] } }, mapped);
    expect(signIn).toMatchObject({ subject: 'object-1', name: 'Alice', groups: ['dev'] });
  });

  it('telling no groups from no such claim', () => {
    expect(readSignIn({ sub: 'a', groups: [] }, {}, settings()).groups).toEqual([]);
    for (const nothing of [undefined, null, '']) {
      expect(readSignIn({ sub: 'a', groups: nothing }, {}, settings())).not.toHaveProperty('groups');
    }
  });

  it('passing over what says nothing, in the ID token and in userinfo', () => {
    const signIn = readSignIn(
      { sub: 'a', name: '', email: null },
      { name: 'Alice', email: 'a@example.com' },
      settings(),
    );
    expect(signIn).toMatchObject({ name: 'Alice', email: 'a@example.com' });
    expect(signIn.claims).toEqual({ sub: 'a', name: 'Alice', email: 'a@example.com' });
  });

  it.each([undefined, null, '', 42, ['a'], 'x'.repeat(256)])('but not without a proper subject: %j', (sub) => {
    expect(() => readSignIn({ sub }, {}, settings())).toThrow(UpstreamError);
  });
});

describe('groups are read', () => {
  const groupsOf = (groups: unknown, rule: Partial<GroupsClaim> = {}) =>
    readSignIn({ sub: 'a', groups }, {}, settings({ groups: rule })).groups;

  it.each<[string, unknown, Partial<GroupsClaim>, string[]]>([
    ['from a list of names', ['dev', 'ops'], {}, ['dev', 'ops']],
    ['from one name', 'dev', {}, ['dev']],
    ['from numbers, as their digits', [1001, 7.5, -3], {}, ['1001', '7.5', '-3']],
    ['from one number', 1001, {}, ['1001']],
    ['without entries that say nothing', ['dev', null, ''], {}, ['dev']],
    ['from the keys of a map', { dev: { org: 'a' }, ops: {} }, { keys: true }, ['dev', 'ops']],
    ['from a map without what says no', { dev: true, ops: false, qa: null }, { keys: true }, ['dev']],
    ['from the keys of several maps', [{ dev: {} }, { ops: {} }], { keys: true }, ['dev', 'ops']],
    ['from an empty map', {}, { keys: true }, []],
    [
      'from a map with names that every object has',
      JSON.parse('{"__proto__":{},"valueOf":1}'),
      { keys: true },
      ['__proto__', 'valueOf'],
    ],
    ['from the member of objects', [{ id: 7, name: 'dev' }, { name: 'ops' }], { member: 'name' }, ['dev', 'ops']],
    ['from a member that is a number', [{ id: 7 }], { member: 'id' }, ['7']],
    ['from a member of a member', [{ a: { b: 'dev' } }], { member: 'a.b' }, ['dev']],
    ['from one object', { name: 'dev' }, { member: 'name' }, ['dev']],
    ['from names among objects', ['ops', { name: 'dev' }], { member: 'name' }, ['ops', 'dev']],
    ['from one text with a separator', 'dev, ops,, qa ', { separator: ',' }, ['dev', 'ops', 'qa']],
    ['from one text in brackets, as Cognito writes it', '[dev, ops]', { separator: ',' }, ['dev', 'ops']],
    ['from a list of texts with a separator', ['a;b', 'c'], { separator: ';' }, ['a', 'b', 'c']],
    ['whole, where there is no separator', 'dev,ops', {}, ['dev,ops']],
  ])('%s', (_, groups, rule, read) => expect(groupsOf(groups, rule)).toEqual(read));

  it.each<[string, unknown, Partial<GroupsClaim>?]>([
    ['objects', [{ id: 7, name: 'contractors' }]],
    ['a list in a list', [['contractors']]],
    ['one object among names', ['dev', { name: 'contractors' }]],
    ['a map', { contractors: true }],
    ['a truth value', true],
    ['a truth value among names', ['dev', false]],
    ['a number that JSON does not hold exactly', [Number('12345678901234567890')]],
    ['objects without the member', [{ name: 'dev' }, { id: 7 }], { member: 'name' }],
    ['objects whose member is one itself', [{ name: { en: 'dev' } }], { member: 'name' }],
    ['objects that inherit the member', [{ id: 7 }], { member: 'valueOf' }],
    ['a list in a list, with a separator', [['a,b']], { separator: ',' }],
  ])('not at all where they are %s', (_, groups, rule) => {
    const notes: string[] = [];
    const signIn = readSignIn({ sub: 'a', groups }, {}, settings({ groups: rule ?? {} }), (claim) => notes.push(claim));
    expect(signIn.groups).toBe('unreadable');
    expect(signIn).not.toHaveProperty('carriedGroups');
    expect(notes).toEqual(['groups']);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a reference', { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x.example' } } }],
    ['a word that there are too many', { hasgroups: true }],
  ])('not at all where there is only %s', (_, claims) => {
    expect(readSignIn({ sub: 'a', ...claims }, {}, settings()).groups).toBe('unreadable');
    expect(readSignIn({ sub: 'a', ...claims }, { groups: ['dev'] }, settings()).groups).toEqual(['dev']);
  });

  it.each<[string[], string[]]>([
    [['eng-*'], ['eng-dev', 'eng-']],
    [['eng-dev'], ['eng-dev']],
    [['*'], ['eng-dev', 'eng-', 'sales', 'a.b', 'x-eng-']],
    [
      ['*-*', 'a.?'],
      ['eng-dev', 'eng-', 'x-eng-'],
    ],
    [['*eng*'], ['eng-dev', 'eng-', 'x-eng-']],
    [['e*-*v'], ['eng-dev']],
    [['eng-*dev*dev'], []],
    [[], []],
  ])('and carried where `only` has them: %j', (only, carried) => {
    const groups = ['eng-dev', 'eng-', 'sales', 'a.b', 'x-eng-'];
    const signIn = readSignIn({ sub: 'a', groups }, {}, settings({ groups: { only } }));
    expect(signIn.groups).toEqual(groups);
    expect(signIn.carriedGroups).toEqual(carried);
  });

  it('and a pattern of many stars takes no time', () => {
    const groups = ['a'.repeat(20_000)];
    const only = [`${'a*'.repeat(50)}b`];
    expect(readSignIn({ sub: 'a', groups }, {}, settings({ groups: { only } })).carriedGroups).toEqual([]);
  });
});

describe('what is very long', () => {
  const read = (claims: Record<string, unknown>) => {
    const notes: [string, string][] = [];
    const signIn = readSignIn({ sub: 'a', ...claims }, {}, settings(), (...note) => notes.push(note));
    return { signIn, notes };
  };

  it('a name is cut, and seen to be', () => {
    const { signIn, notes } = read({ name: '\u{1f600}'.repeat(9000) });
    expect(signIn.name).toBe(`${'\u{1f600}'.repeat(199)}…`);
    expect(notes).toEqual([['name', expect.stringContaining('9000 characters')]]);
    expect(read({ name: 'x'.repeat(200) })).toEqual({
      signIn: expect.objectContaining({ name: 'x'.repeat(200) }),
      notes: [],
    });
  });

  it.each(['email', 'sid', 'acr'] as const)('%s is left out, since its beginning could be another one', (claim) => {
    const { signIn, notes } = read({ [claim]: `${'x'.repeat(310)}@example.com` });
    expect(signIn).not.toHaveProperty(claim);
    expect(notes.map(([name]) => name)).toEqual([claim]);
  });
});

describe('whether an address was verified', () => {
  it.each<[unknown, boolean | undefined]>([
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    ['yes', false],
    [1, false],
    [undefined, undefined],
    [null, undefined],
  ])('is said by email_verified: %j', (claim, verified) => {
    expect(readSignIn({ sub: 'a', email: 'a@b.example', email_verified: claim }, {}, settings()).emailVerified).toBe(
      verified,
    );
  });

  it('is not said of an address that is kept elsewhere', () => {
    const idToken = { sub: 'a', upn: 'ceo@example.com', email: 'a@b.example', email_verified: true };
    expect(readSignIn(idToken, {}, settings({ email: 'upn' }))).not.toHaveProperty('emailVerified');
    const beside = { sub: 'a', contact: { email: 'a@b.example', email_verified: true } };
    expect(readSignIn(beside, {}, settings({ email: 'contact.email' })).emailVerified).toBe(true);
  });
});

describe('what userinfo is asked for', () => {
  const complete = { sub: 'a', name: 'n', email: 'e', groups: [] };
  it.each<[Record<string, unknown>, string[], string[]]>([
    [complete, [], []],
    [{ ...complete, email: undefined }, [], ['email']],
    [complete, ['department'], ['department']],
    [{ ...complete, department: 'x' }, ['department'], []],
    [{ ...complete, name: '' }, ['name'], ['name']],
  ])('is what is mapped or wanted and not there', (claims, wanted, missing) => {
    expect(missingClaims(claims, settings(), wanted)).toEqual(missing);
  });
});
