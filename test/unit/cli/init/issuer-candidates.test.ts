import { describe, expect, it } from 'vitest';
import { readTypedIssuer } from '../../../../src/cli/init/issuer-candidates.ts';

describe('an issuer as it is typed', () => {
  it.each([
    ['https://sso.example.com/realms/corp', 'https://sso.example.com/realms/corp'],
    ['https://sso.example.com/realms/corp/', 'https://sso.example.com/realms/corp'],
    ['  "https://sso.example.com"  ', 'https://sso.example.com'],
    ['<https://sso.example.com/>', 'https://sso.example.com'],
    ['sso.example.com/realms/corp', 'https://sso.example.com/realms/corp'],
    ['127.0.0.1:8090', 'http://127.0.0.1:8090'],
    ['localhost:8090/dex', 'http://localhost:8090/dex'],
    ['https://sso.example.com/realms/corp/.well-known/openid-configuration', 'https://sso.example.com/realms/corp'],
    ['https://sso.example.com/.well-known/oauth-authorization-server/dex', 'https://sso.example.com/dex'],
    ['https://sso.example.com/dex?x=1#y', 'https://sso.example.com/dex'],
  ])('%s is %s', (typed, address) => {
    expect(readTypedIssuer(typed)?.address).toBe(address);
    expect(readTypedIssuer(typed)?.candidates[0]).toBe(address);
  });

  it.each([
    '',
    ' ',
    'https://',
    'ftp://sso.example.com',
    'https://user:word@sso.example.com',
    'javascript:alert(1)',
    'a b',
  ])('%j is none', (typed) => expect(readTypedIssuer(typed)).toBeUndefined());

  it.each([
    ['http://sso.example.com/dex', 'https://sso.example.com/dex'],
    ['https://127.0.0.1:8090/dex', 'http://127.0.0.1:8090/dex'],
    ['https://[::1]:8090', 'http://[::1]:8090'],
    ['https://sso.example.com/admin/master/console/#/corp/clients', 'https://sso.example.com/realms/corp'],
    ['https://sso.example.com/auth/admin/corp/console/', 'https://sso.example.com/auth/realms/corp'],
    ['https://sso.example.com/realms/corp/account', 'https://sso.example.com/realms/corp'],
    ['https://sso.example.com/realms/corp/protocol/openid-connect/auth', 'https://sso.example.com/realms/corp'],
    ['https://login.microsoftonline.com/9f1c/oauth2/v2.0/authorize', 'https://login.microsoftonline.com/9f1c/v2.0'],
    ['https://example-admin.okta.com/admin/dashboard', 'https://example.okta.com'],
    ['https://www.google.com/accounts', 'https://accounts.google.com'],
    ['https://gitlab.example.com/users/sign_in', 'https://gitlab.example.com'],
  ])('%s may mean %s', (typed, meant) => expect(readTypedIssuer(typed)?.candidates).toContain(meant));

  it('asks at a bounded number of places, however long the path is', () => {
    const { candidates = [] } = readTypedIssuer(`https://sso.example.com${'/a'.repeat(1000)}`) ?? {};
    expect(candidates.length).toBeLessThanOrEqual(8);
  });
});
