import { describe, expect, it } from 'vitest';
import { requireAllowed } from '../../../src/upstream/requests/address-rule.ts';

describe('an address of an upstream’s document', () => {
  const ISSUER = 'https://sso.example.com';
  const verdict = (address: string, { issuer = ISSUER, stated = [] as string[] } = {}): string => {
    try {
      requireAllowed(new URL(address), { issuer, stated, allowsPrivateAddresses: true });
      return 'allowed';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each(['https://sso.example.com/token', 'https://keys.example.net/jwks', 'https://10.0.0.7/token'])(
    'may be %s',
    (address) => expect(verdict(address)).toBe('allowed'),
  );

  it.each(['http://sso.example.com/token', 'http://10.0.0.7/token', 'ftp://sso.example.com/', 'file:///etc/passwd'])(
    'is https: not %s',
    (address) => expect(verdict(address)).toContain('is not https'),
  );

  it.each([
    'http://127.0.0.1:6379/',
    'http://localhost:9090/metrics',
    'http://[::1]/',
    'https://127.0.0.1/',
    'https://127.9.9.9/',
    'https://localhost./',
    'https://app.localhost/',
    'https://[::ffff:127.0.0.1]/',
    'https://0.0.0.0/',
    'https://[::]/',
    'https://2130706433/',
  ])('leads to this machine only where the issuer is: not %s', (address) => {
    expect(verdict(address)).toContain('is on loopback, where the issuer is not');
  });

  it.each(['http://127.0.0.1:8080/jwks', 'http://localhost:8080/jwks', 'https://[::1]/jwks'])(
    'may be %s where the issuer is on this machine',
    (address) => expect(verdict(address, { issuer: 'http://127.0.0.1:8080' })).toBe('allowed'),
  );

  it('may be on this machine where the configuration itself leads there, and then only there', () => {
    const stated = ['http://127.0.0.1:8080', 'https://sso.example.com/token'];
    expect(verdict('http://127.0.0.1:8080/jwks', { stated })).toBe('allowed');
    expect(verdict('http://127.0.0.1:6379/', { stated })).toContain('on loopback');
  });
});
