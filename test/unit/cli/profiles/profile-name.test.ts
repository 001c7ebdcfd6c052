import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProfileName, profileNameOf } from '../../../../src/cli/profiles/profile-name.ts';
import { INHERITED_NAMES } from '../../../support/samples/inherited-names.ts';

describe('a profile’s name', () => {
  it.each(['corp', 'a', 'login.example.com-cli', '0', 'a_b-c.d'])('may be %s', (name) => {
    expect(isProfileName(name)).toBe(true);
  });

  it.each([
    ...['', '.', '..', '../corp', 'a/b', 'a\\b', '/etc/passwd', '.hidden', 'a.', 'Corp', 'a b', 'a\n', 'a\0', 'ä'],
    ...['con', 'nul.corp', 'com1', 'x'.repeat(65), '-rf', 'a:b', '~', '$HOME', '%2e%2e'],
  ])('may not be %j', (name) => expect(isProfileName(name)).toBe(false));
});

describe('the name that follows from issuer and client', () => {
  it('is read at a glance where it can be', () => {
    expect(profileNameOf('https://login.example.com', 'cli')).toBe('login.example.com-cli');
    expect(profileNameOf('https://login.example.com/', 'cli')).toBe('login.example.com-cli');
  });

  it('is a name for whatever they are, and another one for others', () => {
    const issuers = fc.webUrl();
    const ids = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom(...INHERITED_NAMES));
    fc.assert(
      fc.property(issuers, ids, ids, (issuer, one, other) => {
        expect(isProfileName(profileNameOf(issuer, one))).toBe(true);
        if (one !== other) expect(profileNameOf(issuer, one)).not.toBe(profileNameOf(issuer, other));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['https://a.example/x', 'https://a.example/y'],
    ['https://a.example:8443', 'https://a.example:8444'],
    ['https://a.example/X', 'https://a.example/x'],
  ])('tells %s from %s', (one, other) => expect(profileNameOf(one, 'cli')).not.toBe(profileNameOf(other, 'cli')));
});
