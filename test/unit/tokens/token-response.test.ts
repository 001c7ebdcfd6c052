import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { tokenResponse } from '../../../src/tokens/token-response.ts';

describe('the token response', () => {
  it('has the members of RFC 6749 §5.1 and OpenID Connect', () => {
    const tokens = {
      accessToken: new Secret('access'),
      tokenType: 'DPoP',
      expiresInSeconds: 600,
      scopes: ['openid', 'files'],
      idToken: new Secret('id'),
    };
    expect(tokenResponse(tokens, new Secret('refresh'))).toEqual({
      access_token: 'access',
      token_type: 'DPoP',
      expires_in: 600,
      refresh_token: 'refresh',
      id_token: 'id',
      scope: 'openid files',
    });
  });

  it('always says the scope and leaves out what there is not', () => {
    const tokens = { accessToken: new Secret('access'), tokenType: 'Bearer', scopes: [] };
    expect(tokenResponse(tokens)).toEqual({ access_token: 'access', token_type: 'Bearer', scope: '' });
  });
});
