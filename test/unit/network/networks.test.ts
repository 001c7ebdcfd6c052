import { describe, expect, it } from 'vitest';
import { createNetworks } from '../../../src/network/networks.ts';
import { requesterOf } from '../../../src/safeguards/requester.ts';
import { isSameNetwork, judgeSameNetwork } from '../../../src/safeguards/same-network.ts';
import { mayApproveFrom, mayInitiateFrom } from '../../../src/safeguards/still-met.ts';

const networks = createNetworks([
  { id: 'oslo', name: 'Oslo office', cidrs: ['198.51.100.0/24', '2001:db8:05::/48'], factor: 20 },
  { id: 'rome', name: 'Rome office', cidrs: ['192.0.2.0/25'], factor: 1 },
  { id: 'dorm', name: 'Dormitory', cidrs: ['192.0.2.128/25'], factor: 1 },
]);

describe('the same network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.200', true],
    ['203.0.113.7', '203.0.114.7', false],
    ['203.0.113.7', '::ffff:203.0.113.9', true],
    ['2001:db8:1:100::1', '2001:db8:1:1ff::9', true],
    ['2001:db8:1:100::1', '2001:db8:1:200::1', false],
    ['203.0.113.7', '2001:db8:1::1', false],
    ['198.51.100.7', '2001:db8:5:99::1', true],
    ['192.0.2.1', '192.0.2.200', true],
    ['unknown', 'unknown', false],
  ])('%s and %s: %s', (left, right, isSame) => {
    expect(isSameNetwork(left, right, networks)).toBe(isSame);
    expect(isSameNetwork(right, left, networks)).toBe(isSame);
  });

  it.each([
    ['off', false, 'ok'],
    ['warn', false, 'warn'],
    ['require', false, 'refuse'],
    ['warn', true, 'ok'],
    ['require', true, 'ok'],
  ] as const)('%s, and the same is %s: %s', (mode, isSame, verdict) => {
    expect(judgeSameNetwork(mode, isSame)).toBe(verdict);
  });
});

describe('where a request came from', () => {
  const from = (source: string, person: string) =>
    requesterOf({ source, startedAtMs: 1000 }, { address: person, nowMs: 39_900 }, networks);

  it.each([
    ['203.0.113.7', '203.0.113.8', { place: 'same_network', name: undefined }],
    ['198.51.100.7', '198.51.100.8', { place: 'same_network', name: 'Oslo office' }],
    ['198.51.100.7', '203.0.113.8', { place: 'named_network', name: 'Oslo office' }],
    ['10.1.2.3', '203.0.113.8', { place: 'private' }],
    ['172.31.0.1', '203.0.113.8', { place: 'private' }],
    ['172.32.0.1', '203.0.113.8', { place: 'internet' }],
    ['100.64.0.1', '203.0.113.8', { place: 'private' }],
    ['fd00::1', '203.0.113.8', { place: 'private' }],
    ['fe80::1', '203.0.113.8', { place: 'private' }],
    ['::1', '203.0.113.8', { place: 'private' }],
    ['2001:db8:1::1', '203.0.113.8', { place: 'internet' }],
    ['203.0.113.7', '10.1.2.3', { place: 'internet' }],
    ['unknown', '203.0.113.8', { place: 'internet' }],
  ])('%s for a person at %s', (source, person, place) => {
    expect(from(source, person)).toEqual({ from: place, address: source, ageSeconds: 38 });
  });

  it('is never from the future', () => {
    expect(requesterOf({ source: '::1', startedAtMs: 9 }, { address: '::1', nowMs: 1 }, networks).ageSeconds).toBe(0);
  });
});

describe('where one may start and approve', () => {
  it('is everywhere without a list, and else in its networks only', () => {
    expect(mayInitiateFrom({ initiateFrom: [] }, '203.0.113.7')).toBe(true);
    expect(mayInitiateFrom({ initiateFrom: ['10.0.0.0/8', 'fd00::/8'] }, 'fd12::1')).toBe(true);
    expect(mayInitiateFrom({ initiateFrom: ['10.0.0.0/8'] }, '203.0.113.7')).toBe(false);
    expect(mayApproveFrom({ approveFrom: [] }, '203.0.113.7')).toBe(true);
    expect(mayApproveFrom({ approveFrom: ['10.0.0.0/8'] }, '::ffff:10.0.0.1')).toBe(true);
    expect(mayApproveFrom({ approveFrom: ['10.0.0.0/8'] }, 'unknown')).toBe(false);
  });
});
