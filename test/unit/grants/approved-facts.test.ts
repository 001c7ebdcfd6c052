import { describe, expect, it } from 'vitest';
import { approvedFacts } from '../../../src/grants/decide/approved-facts.ts';
import { INHERITED_NAMES } from '../../support/samples/inherited-names.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';

const person = { subject: '42', claims: { sub: '42', team: 'build' } };

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
