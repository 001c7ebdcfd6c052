import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectOf } from '../../../src/clients/subject.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

const prefixed = { subject: 'prefixed' } as const;

describe('sub', () => {
  it('is <upstream>|<subject>, up to 255 bytes', () => {
    const subject = 's'.repeat(255 - 'corp|'.length);
    expect(subjectOf(prefixed, { upstream: 'corp', subject: '42' })).toBe('corp|42');
    expect(subjectOf(prefixed, { upstream: 'corp', subject })).toBe(`corp|${subject}`);
  });

  it('is a hash where that would be longer', () => {
    const subject = 's'.repeat(251);
    expect(subjectOf(prefixed, { upstream: 'corp', subject })).toMatch(/^[\w-]{43}$/);
    // 128 characters, 256 bytes.
    expect(subjectOf(prefixed, { upstream: 'corp', subject: 'é'.repeat(128) })).toMatch(/^[\w-]{43}$/);
  });

  it('is the subject as it is where the client is configured so', () => {
    expect(subjectOf({ subject: 'plain' }, { upstream: 'corp', subject: '42' })).toBe('42');
  });

  it('never is the same for two people', () => {
    const person = fc.record({
      upstream: fc.constantFrom('a', 'b', 'a-b', 'constructor'),
      subject: anyText({ minLength: 1, maxLength: 300 }),
    });
    fc.assert(
      fc.property(person, person, (one, other) => {
        const isSame = one.upstream === other.upstream && one.subject === other.subject;
        expect(subjectOf(prefixed, one) === subjectOf(prefixed, other)).toBe(isSame);
      }),
    );
    const long = { upstream: 'a', subject: 's'.repeat(300) };
    const hash = subjectOf(prefixed, long);
    for (const subject of [hash, hash.slice(2), `|${hash}`]) {
      expect(subjectOf(prefixed, { upstream: 'a', subject })).not.toBe(hash);
    }
  });
});
