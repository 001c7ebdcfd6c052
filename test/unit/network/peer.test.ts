import { describe, expect, it } from 'vitest';
import { sourceAddress } from '../../../src/network/source-address.ts';

const settings = { trustedProxies: ['10.0.0.0/8'], forwardedHeader: 'x-forwarded-for' } as const;
const at = (header?: string) =>
  sourceAddress('unix', header === undefined ? {} : { 'x-forwarded-for': header }, settings);

describe('the peer at a unix socket', () => {
  it('is believed as a trusted proxy is, and those before it as far as they are named', () => {
    expect(at('203.0.113.7')).toBe('203.0.113.7');
    expect(at('198.51.100.1, 203.0.113.7')).toBe('203.0.113.7');
    expect(at('203.0.113.7, 10.0.0.1')).toBe('203.0.113.7');
  });

  it('has no address of its own', () => {
    expect(at()).toBe('unknown');
    expect(at('nonsense')).toBe('unknown');
    expect(at('unix')).toBe('unknown');
    expect(at('203.0.113.7, unix')).toBe('unknown');
  });
});

it('nobody else is taken for one', () => {
  expect(sourceAddress(undefined, { 'x-forwarded-for': '203.0.113.7' }, settings)).toBe('unknown');
  expect(sourceAddress('192.0.2.1', { 'x-forwarded-for': 'unix' }, settings)).toBe('192.0.2.1');
});
