import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOrigin, isResource } from '../../../src/config/read/web-address.ts';
import { didYouMean } from '../../../src/config/schema/did-you-mean.ts';
import { formatDuration, parseDuration } from '../../../src/config/schema/duration.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

describe('durations', () => {
  it.each([
    ['90s', 90],
    ['10m', 600],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['0s', 0],
  ])('%s is %i seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it('come back from what they are written as', () => {
    fc.assert(fc.property(fc.nat(999_999_999), (seconds) => parseDuration(formatDuration(seconds)) === seconds));
  });

  it('are nothing else', () => {
    const unit = fc.constantFrom('', 'ms', 'S', ' s', 'w', 's ', '.5s', 's\n');
    fc.assert(fc.property(fc.nat(), unit, (n, u) => parseDuration(`${n}${u}`) === undefined));
    fc.assert(fc.property(anyText(), (text) => parseDuration(text) === undefined || /^\d+[smhd]$/.test(text)));
    for (const text of ['-1s', '+1s', '01s', '1e3s', '1s1m']) expect(parseDuration(text)).toBeUndefined();
  });
});

it.each([
  ['https://tv.example.com', true],
  ['http://localhost:3000', true],
  ['chrome-extension://abcdefghijklmnop', true],
  ['capacitor://localhost', true],
  ['moz-extension://8f3c2a1e-0b1d-4c55-9a2e-112233445566', true],
  ['chrome-extension://abc/page', false],
  ['chrome-extension://', false],
  ['javascript:alert(1)', false],
  ['data:text/html,x', false],
  ['https://tv.example.com/', false],
  ['https://TV.example.com', false],
  ['https://tv.example.com:443', false],
  ['null', false],
  ['*', false],
  ['file:///', false],
])('%s as an origin: %s', (text, isOne) => expect(isOrigin(text)).toBe(isOne));

it.each([
  ['https://api.example.com', true],
  ['https://api.example.com/v1?x=1', true],
  ['urn:example:api', true],
  ['https://api.example.com/#', false],
  ['/v1', false],
  ['api', false],
  ['https://api.example.com/a b', false],
])('%s as a resource: %s', (text, isOne) => expect(isResource(text)).toBe(isOne));

it.each([
  ['upstrems', 'upstreams'],
  ['public-url', 'public_url'],
  ['publicURL', 'public_url'],
  ['cleints', 'clients'],
  ['url', 'public_url'],
  ['zzzz', undefined],
])('somebody who writes %s means %s', (written, meant) => {
  expect(didYouMean(written, ['public_url', 'upstreams', 'clients', 'storage'])).toBe(meant);
});
