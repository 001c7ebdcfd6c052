import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSourceAddress, sourceAddress } from '../../../src/network/source-address.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

const trustedProxies = ['127.0.0.1/32', '10.0.0.0/8', '2001:db8:ffff::/48'];
const byForwardedFor = createSourceAddress({ trustedProxies, forwardedHeader: 'x-forwarded-for' });
const byForwarded = createSourceAddress({ trustedProxies, forwardedHeader: 'forwarded' });

describe('the source of a request', () => {
  it('is the peer where the peer is no trusted proxy, whatever the headers say', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' };
    expect(byForwardedFor('203.0.113.7', headers)).toBe('203.0.113.7');
    expect(byForwarded('203.0.113.7', headers)).toBe('203.0.113.7');
    expect(sourceAddress('127.0.0.1', headers, { trustedProxies: [], forwardedHeader: 'x-forwarded-for' })).toBe(
      '127.0.0.1',
    );
  });

  it.each([
    ['one hop', '203.0.113.7', '203.0.113.7'],
    ['the visitor’s own lines are left of the proxy’s', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['trusted hops are passed', '198.51.100.1, 203.0.113.7, 10.1.1.1, 10.2.2.2', '203.0.113.7'],
    ['several header lines as an array', ['198.51.100.1', '203.0.113.7, 10.1.1.1'], '203.0.113.7'],
    ['no header: the proxy itself', undefined, '127.0.0.1'],
    ['an empty header', '', '127.0.0.1'],
    ['empty elements', ' , 203.0.113.7 ,, ', '203.0.113.7'],
    ['trusted hops only: the furthest', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['garbage: the proxy that wrote it', 'nonsense', '127.0.0.1'],
    ['garbage behind a trusted hop', 'nonsense, 10.1.1.1', '10.1.1.1'],
    ['garbage left of the source counts for nothing', '"; DROP, 203.0.113.7', '203.0.113.7'],
    ['with a port', '203.0.113.7:49152', '203.0.113.7'],
    ['IPv6', '2001:DB8:0:0::7', '2001:db8::7'],
    ['IPv6 in brackets', '[2001:db8::7]', '2001:db8::7'],
    ['IPv6 in brackets with a port', '[2001:db8::7]:443', '2001:db8::7'],
    ['IPv4 in IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
    ['a trusted proxy as IPv4 in IPv6', '203.0.113.7, ::ffff:10.1.1.1', '203.0.113.7'],
    ['a trusted IPv6 proxy', '203.0.113.7, 2001:db8:ffff::9', '203.0.113.7'],
  ])('by X-Forwarded-For: %s', (_, header, source) => {
    expect(byForwardedFor('127.0.0.1', { 'x-forwarded-for': header as string })).toBe(source);
    expect(byForwardedFor('::ffff:127.0.0.1', { 'x-forwarded-for': header as string })).toBe(source);
  });

  it.each([
    ['one element', 'for=203.0.113.7', '203.0.113.7'],
    ['names in any case, other parameters', 'proto=https; By=10.1.1.1; For=203.0.113.7; host=x', '203.0.113.7'],
    ['quoted, with a port', 'for="203.0.113.7:4711"', '203.0.113.7'],
    ['IPv6 with a port', 'for="[2001:db8::7]:4711"', '2001:db8::7'],
    ['IPv6 without quotes, as some write it', 'for=[2001:db8::7]', '2001:db8::7'],
    ['trusted hops are passed', 'for=198.51.100.1, for=203.0.113.7;proto=http, for=10.1.1.1', '203.0.113.7'],
    ['a stray quote of the visitor', 'for=", for=203.0.113.7', '203.0.113.7'],
    ['a divider inside a quoted host', 'for=203.0.113.7;host="a, for=198.51.100.1;b"', '203.0.113.7'],
    ['an escaped quote in a host', 'for=203.0.113.7;host="a\\", for=198.51.100.1"', '203.0.113.7'],
    ['unknown', 'for=unknown', '127.0.0.1'],
    ['an obfuscated name', 'for=_hidden', '127.0.0.1'],
    ['an obfuscated name behind a trusted hop', 'for=_hidden, for=10.1.1.1', '10.1.1.1'],
    ['no for', 'proto=https', '127.0.0.1'],
    ['two in one element', 'for=203.0.113.7;for=198.51.100.1', '127.0.0.1'],
  ])('by Forwarded (RFC 7239): %s', (_, header, source) => {
    expect(byForwarded('127.0.0.1', { forwarded: header })).toBe(source);
  });

  it('is read from exactly one header', () => {
    expect(byForwardedFor('127.0.0.1', { forwarded: 'for=203.0.113.7' })).toBe('127.0.0.1');
    expect(byForwarded('127.0.0.1', { 'x-forwarded-for': '203.0.113.7' })).toBe('127.0.0.1');
    expect(byForwardedFor('127.0.0.1', { x_forwarded_for: '203.0.113.7', 'x-real-ip': '203.0.113.8' })).toBe(
      '127.0.0.1',
    );
  });

  it('of a peer that has gone is unknown', () => {
    expect(byForwardedFor(undefined, { 'x-forwarded-for': '203.0.113.7' })).toBe('unknown');
  });

  it('cannot be moved by anything left of what the trusted proxies wrote', () => {
    const noise = anyText({ unit: fc.constantFrom(...'for=;:,." \\[]0123456789abcdef_'.split('')), maxLength: 60 });
    const address = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => !/^(10|127)\.|^2001:d|[.:]ffff:/i.test(text));
    fc.assert(
      fc.property(noise, address, fc.boolean(), (junk, visitor, isChained) => {
        const known = byForwardedFor(visitor, {});
        const tail = isChained ? ', 10.0.0.1' : '';
        expect(byForwardedFor('127.0.0.1', { 'x-forwarded-for': `${junk},${visitor}${tail}` })).toBe(known);
        const element = visitor.includes(':') ? `for="[${visitor}]:1"` : `for=${visitor}`;
        const forwardedTail = isChained ? ', for=10.0.0.1;by=_x' : '';
        expect(byForwarded('127.0.0.1', { forwarded: `${junk}, ${element}${forwardedTail}` })).toBe(known);
      }),
      { numRuns: 2000 },
    );
  });

  it('costs little for a header of any length', () => {
    const started = performance.now();
    byForwarded('127.0.0.1', { forwarded: '\\"'.repeat(100_000) });
    byForwarded('127.0.0.1', { forwarded: `"${'\\'.repeat(100_000)}"` });
    byForwardedFor('127.0.0.1', { 'x-forwarded-for': ','.repeat(200_000) });
    byForwardedFor('127.0.0.1', { 'x-forwarded-for': '['.repeat(200_000) });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
