import { describe, expect, it } from 'vitest';
import { type RequestRoute, requestFailure } from '../../../src/upstream/requests/request-failure.ts';

const PLACE = 'https://sso.example.com/token';

function failure(code: string, known: Partial<RequestRoute> = {}): string {
  const error = Object.assign(new Error(`connect ${code}`), code === '' ? { name: 'TimeoutError' } : { code });
  return requestFailure(PLACE, { way: '', ...known }, error).detail;
}

describe('an upstream that may be in order and does not answer', () => {
  it.each([
    ['ENOTFOUND', /has no address: look at the DNS/],
    ['EAI_AGAIN', /has no address: look at the DNS/],
    ['ECONNREFUSED', /nothing accepts connections there/],
    ['ETIMEDOUT', /a firewall or a route/],
    ['EHOSTUNREACH', /a firewall or a route/],
    ['UND_ERR_CONNECT_TIMEOUT', /a firewall or a route/],
  ])('%s: says what is in the way', (code, words) => {
    expect(failure(code)).toMatch(words);
    expect(failure(code)).toContain(`${PLACE}: ${code}`);
  });

  it.each(['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT', ''])('names a proxy that is not used (%j)', (code) => {
    expect(failure(code, { unusedProxy: 'HTTPS_PROXY' })).toMatch(/; HTTPS_PROXY is set and is not used: write proxy:/);
    expect(failure(code)).not.toMatch(/proxy/i);
  });

  it('says who named an address that is not the issuer’s', () => {
    expect(failure('ENOTFOUND', { isNamedThere: true })).toMatch(/its own document names that address: endpoints:/);
  });

  it('is behind a proxy that does not answer', () => {
    const said = failure('ECONNREFUSED', { way: ' over the proxy http://proxy:3128' });
    expect(said).toMatch(/over the proxy http:\/\/proxy:3128: ECONNREFUSED .*nothing accepts connections at the proxy/);
  });

  it('is given no advice that would not help', () => {
    expect(failure('ECONNRESET', { unusedProxy: 'HTTPS_PROXY', isNamedThere: true })).toBe(
      `${PLACE}: ECONNRESET (connect ECONNRESET)`,
    );
  });
});
