import { describe, expect, it } from 'vitest';
import { userinfoClaims } from '../../../src/tokens/userinfo-claims.ts';

describe('userinfo', () => {
  const client = { claims: { idToken: ['email', 'groups', 'sub', 'iss'], accessToken: ['name'] } };

  it("has the token's sub and the claims of the ID token", () => {
    const claims = { email: 'alice@example.com', name: 'Alice', sub: 'mallory', iss: 'elsewhere' };
    expect(userinfoClaims(client, ['openid'], 'corp|42', { claims, groups: ['eng'] })).toEqual({
      sub: 'corp|42',
      email: 'alice@example.com',
      email_verified: false,
      groups: ['eng'],
    });
  });

  it('has the sub alone where the upstream sent nothing', () => {
    expect(userinfoClaims(client, ['openid'], 'corp|42', { claims: {} })).toEqual({ sub: 'corp|42' });
  });
});
