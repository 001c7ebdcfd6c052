import { describe, expect, it } from 'vitest';
import { approvedFacts } from '../../../src/grants/decide/approved-facts.ts';
import { INHERITED_NAMES } from '../../support/samples/inherited-names.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';

const person = { subject: '42', claims: { sub: '42', team: 'build' } };

describe('the account that people are shown', () => {
  const accountOf = (more: object) => approvedFacts(sampleClient(), { ...person, ...more }, []).account;

  it.each([
    ['an address', 'ceo@example.com'],
    ['one with a wide @', 'ceo\uff20example.com'],
    ['one with a small @', 'ceo\ufe6bexample.com'],
    ['one with words beside it', 'ceo@example.com (verified)'],
    ['one with something invisible in it', 'ceo\u200b@example.com'],
  ])('is no name that is %s, whatever became of the real address', (_what, name) => {
    expect(accountOf({ name })).toBe('42');
    expect(accountOf({ name, email: 'a@example.com', emailVerified: false })).toBe('42');
    expect(accountOf({ name, email: 'a@example.com', emailVerified: true })).toBe('a@example.com');
  });

  it.each([
    ['turns the reading direction', 'Alice\u202eecilA'],
    ['has a second line', 'Alice\u2028Approved'],
    ['has nothing that can be seen', '\u3164\u3164'],
    ['covers its neighbours', `Alice${'\u0301'.repeat(9)}`],
  ])('is no name and no address that %s', (_what, text) => {
    expect(accountOf({ name: text })).toBe('42');
    expect(accountOf({ name: 'Alice', email: `${text}@example.com` })).toBe('Alice');
  });

  it.each(['Ali\u0301ce', '\u0646\u06cc\u200c\u0622', 'x'.repeat(200), "O'Neil, Zoë"])('is the name %j', (name) => {
    expect(accountOf({ name })).toBe(name);
  });
});

describe('the facts of an approval', () => {
  it('are the claims that the client names, and name, e-mail address and groups where the upstream keeps them', () => {
    const client = sampleClient({ claims: { idToken: ['team', 'email'], accessToken: ['groups'] } });
    const { claims } = approvedFacts(client, { ...person, email: 'a@example.com', groups: ['g'] }, []);
    expect(claims).toEqual({ team: 'build', email: 'a@example.com', email_verified: false, groups: ['g'] });
  });

  it.each(INHERITED_NAMES)('have no %s that the upstream did not send', (name) => {
    const client = sampleClient({ claims: { idToken: [name], accessToken: [] } });
    expect(Object.keys(approvedFacts(client, person, []).claims)).toEqual([]);
  });

  it.each(INHERITED_NAMES)('have the %s that the upstream did send', (name) => {
    const client = sampleClient({ claims: { idToken: [name], accessToken: [] } });
    const { claims } = approvedFacts(client, { ...person, claims: { [name]: 'sent' } }, []);
    expect(Object.entries(claims)).toEqual([[name, 'sent']]);
  });
});
