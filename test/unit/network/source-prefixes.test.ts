import { describe, expect, it } from 'vitest';
import { createNetworks } from '../../../src/network/networks.ts';
import { sourcePrefixes, sourcePrefixList } from '../../../src/network/source-prefixes.ts';

describe('a source', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.7/32', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8:1:2::ffff', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['unknown', 'unknown', 'unknown'],
  ])('%s counts as %s and, wider, as %s', (address, source, wider) => {
    expect(sourcePrefixes(address)).toEqual({ source, wider });
    expect(sourcePrefixList(address)).toEqual([source, wider]);
  });
});

describe('named networks', () => {
  const networks = createNetworks([
    { id: 'corp', name: 'All of us', cidrs: ['198.51.100.0/22', '2001:db8::/32'], factor: 5 },
    { id: 'oslo', name: 'Oslo office', cidrs: ['198.51.100.0/24'], factor: 20 },
  ]);

  it('gives an address the narrowest of the networks that it is in', () => {
    expect(networks.networkOf('198.51.100.9')).toEqual({ id: 'oslo', name: 'Oslo office', factor: 20 });
    expect(networks.networkOf('198.51.101.9')?.id).toBe('corp');
    expect(networks.networkOf('2001:db8:5::1')?.id).toBe('corp');
    expect(networks.networkOf('::ffff:198.51.100.9')?.id).toBe('oslo');
  });

  it('multiplies by 1 outside of them', () => {
    expect(networks.factorOf('198.51.100.9')).toBe(20);
    expect(networks.factorOf('203.0.113.1')).toBe(1);
    expect(networks.factorOf('unknown')).toBe(1);
    expect(createNetworks([]).networkOf('198.51.100.9')).toBeUndefined();
  });
});
