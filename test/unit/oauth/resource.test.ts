import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configuredResources, normalResource } from '../../../src/oauth/resource.ts';

describe('resources are equal after normalisation (RFC 3986 §6.2.2–3)', () => {
  it.each([
    ['https://api.example', 'https://api.example/'],
    ['https://api.example', 'HTTPS://API.Example'],
    ['https://api.example', 'https://api.example:443/'],
    ['https://api.example', 'https://api.example:'],
    ['http://api.example/v1', 'http://api.example:80/v1'],
    ['https://api.example/v1', 'https://api.example/./v0/../v1'],
    ['https://api.example/v1/', 'https://api.example/v1/x/..'],
    ['https://api.example/', 'https://api.example/../..'],
    ['https://api.example/~me', 'https://api.example/%7Eme'],
    ['https://api.example/~me', 'https://api.example/%7eme'],
    ['https://api.example/a%2Fb', 'https://api.example/a%2fb'],
    ['https://api.example/?q=%C3%A9', 'https://api.example?q=%c3%a9'],
    ['https://[2001:DB8::1]:443', 'https://[2001:db8::1]/'],
    ['https://[::1]:8443/', 'https://[::1]:8443'],
    ['urn:example:Packages', 'URN:example:Packages'],
    ['api://0f3c/', 'API://0F3C'],
  ])('%s and %s', (one, other) => {
    expect(normalResource(other)).toBe(normalResource(one));
    expect(configuredResources([other], [one])).toEqual([one]);
  });

  it.each([
    ['https://api.example', 'http://api.example'],
    ['https://api.example', 'https://api.example:8443'],
    ['https://api.example', 'https://api.example:80'],
    ['https://api.example', 'https://api.example.evil'],
    ['https://api.example', 'https://user@api.example'],
    ['https://api.example', 'https://api.example/?'],
    ['https://api.example/v1', 'https://api.example/v1/'],
    ['https://api.example/v1', 'https://api.example/V1'],
    ['https://api.example/a/b', 'https://api.example/a%2Fb'],
    ['https://api.example/a/b', 'https://api.example/a//b'],
    ['https://api.example/a', 'https://api.example/a?b'],
    ['urn:example:packages', 'urn:example:Packages'],
    ['urn:a/../b', 'urn:b'],
    ['api', 'API'],
  ])('but not %s and %s', (one, other) => {
    expect(normalResource(other)).not.toBe(normalResource(one));
    expect(configuredResources([other], [one])).toEqual([undefined]);
  });

  it('anything at all is normal after one time, and no input takes long', () => {
    const parts = fc.array(
      fc.constantFrom('https://', 'urn:', 'A.b', '/', '..', '.', '%7e', '%', ':', '443', '@', '[', '?', '//'),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          parts.map((list) => list.join('')),
        ),
        (text) => {
          const normal = normalResource(text);
          expect(normalResource(normal)).toBe(normal);
        },
      ),
    );
    const began = performance.now();
    for (const text of [
      `https://${'a@'.repeat(4000)}`,
      `https://h${'/..'.repeat(2500)}`,
      '%'.repeat(8000),
      '['.repeat(8000),
    ]) {
      normalResource(text);
    }
    expect(performance.now() - began).toBeLessThan(200);
  });
});

describe('a resource that somebody made up to be looked at for long', () => {
  const LENGTH = 8000;
  const filled = (piece: string) => piece.repeat(LENGTH / piece.length);

  it.each([
    ['an @ in each place', `https://${filled('@')}:x`],
    ['brackets that nobody closes', `https://${filled('@[')}:x`],
    ['colons', `https://${filled(':')}x`],
    ['a fragment behind a long host', `https://${filled('x')}#`],
    ['a fragment behind a long path', `https://x/${filled('/x')}#`],
    ['a fragment behind a long query', `https://x/?${filled('?')}#`],
    ['dots', `https://x/${filled('../')}`],
    ['escapes', `https://x/${filled('%41')}`],
  ])('%s takes no time', (_, resource) => {
    const began = performance.now();
    for (let times = 0; times < 30; times += 1) {
      expect(configuredResources([resource], ['https://a.example', 'urn:b'])).toEqual([undefined]);
    }
    // It was several seconds, and a request has room for one such resource.
    expect(performance.now() - began).toBeLessThan(1500);
  });
});
